"""What a kubectl command would do, and what policy says about it."""
