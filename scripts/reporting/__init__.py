"""Reports of audits: a folder of pages that opens by double click and needs no network.

- build: the work of scripts.report
- audits: what is shown, read from results and their benchmark
- own: the same of masks of one's own, without ground truth
- pictures: frames, masks and sounds of the gallery
- summary: facts and tables
- charts: which charts there are
- figures: how they are drawn as SVG, and tables for papers
- items: the data of the gallery
- pages: the page itself, written from templates in `templates/`
"""
