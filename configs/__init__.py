"""What a run may change: one dataclass per consumer, and YAML recipes that flags override."""
