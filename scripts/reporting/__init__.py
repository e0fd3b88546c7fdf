"""Reports of audits: a folder of pages that opens by double click and needs no network.

- build: the work of scripts.report
- audits: what is shown, read from results and their benchmark
- pictures: frames, masks and sounds of the gallery
- figures: charts as SVG, and tables for papers
- pages: the page itself, written from templates in `templates/`
"""
