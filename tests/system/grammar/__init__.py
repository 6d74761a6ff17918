"""What kubectls have: `python -m tests.system.grammar` dumps the command tree of every supported minor version."""
