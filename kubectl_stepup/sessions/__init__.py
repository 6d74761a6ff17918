"""Elevation sessions: where they are kept, who may use them, and when they end."""
