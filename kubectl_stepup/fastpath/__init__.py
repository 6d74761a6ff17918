"""The fast path: answer kubectl from cached sessions and known allowed commands, with almost no imports."""
