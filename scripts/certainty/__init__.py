"""Certainty of an auditor: calibrated and measured.

- audits: finished audits whose truth and whose probabilities are known
- calibrating: the work of scripts.evaluate.calibrate
- measures: how well probabilities and expected IoUs hold
- pictures: reliability and risk-coverage, as a picture
- unlike: the work of scripts.evaluate.tell_unlike
"""
