"""Verify that a live cluster enforces the policy."""
