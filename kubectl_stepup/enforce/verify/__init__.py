"""Whether a live cluster enforces the policy."""
