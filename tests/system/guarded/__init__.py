"""A real API server that enforces a policy, compiled by our own command."""
