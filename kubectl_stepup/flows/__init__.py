"""Use cases: everything outside comes in as an argument."""
