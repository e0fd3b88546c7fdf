"""Measures the speed of audits, their data and training, beside the published way in the same run."""
