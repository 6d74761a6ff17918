"""The composition root: builds the real edges, lazily, and hands them to the flows."""
