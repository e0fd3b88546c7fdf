"""A page to try an auditor in a browser: the work of scripts.demo.

- serving: loads the auditor and serves the page to this machine
- page: the page, made with Gradio
- asking: what the page asks of an AuditSession, and what it shows of the answer
"""
