"""The lab: a provider, an API server that trusts it, people with a home; every piece real."""
