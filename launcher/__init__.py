"""The native launcher: its C sources, how they are compiled, and what that means for an installation."""
