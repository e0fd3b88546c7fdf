"""Audits the masks of a segmentation method, repairs them, and scores them before and after (paper Sec. 5.3).

- improving: the work of `scripts.segment.improve`, step by step
- candidates: masks that may replace the first ones, on disk, with how they were made
- making: new candidates, from words or from the mask that an audit finds fault with
- shapes: what is done to a mask itself: holes, rims, parts
- audits: audits of candidates, asked once and kept
- verdicts: the audits of a video's frames -> one verdict
- cases: the expressions of a run with their candidates, and what makes and audits them
- policies: which candidate each policy takes, and why
- outcomes: what each policy takes for an expression, with its scores and costs
- results: the same as tables and lines
- pictures: the same as pictures
"""
