"""Elevation sessions: what is remembered of an approval, where, and who may use it again."""
