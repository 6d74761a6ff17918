"""One place to keep sessions a module."""
