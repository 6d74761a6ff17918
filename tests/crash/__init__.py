"""Processes that are killed at every write, rename and store call, and what the next one finds."""
