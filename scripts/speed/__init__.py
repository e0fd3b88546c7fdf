"""How fast audits, their data and training are, beside the published way in the same run."""
