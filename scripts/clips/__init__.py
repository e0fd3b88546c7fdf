"""Clips and masks of one's own, as requests that an auditor can be asked.

- request: what is asked, given as paths or as arrays
- files: a request's clip as ten frames and a sound file, as a sample of the benchmark has them
- store: the clips of the last requests
"""
