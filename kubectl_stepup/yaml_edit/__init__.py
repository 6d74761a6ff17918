"""YAML with the file and line of every value, edited in place with its comments kept."""
