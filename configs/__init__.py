"""Settings: one dataclass for each part of a program that uses them, and YAML recipes. Flags override recipes."""
