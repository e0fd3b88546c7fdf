"""Programs of the benchmark: build it, verify it, describe it, bring other datasets into its source layout."""
