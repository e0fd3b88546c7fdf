"""Other auditors behind real servers on this machine, with tiny random weights. Run by scripts/test_servers.sh."""
