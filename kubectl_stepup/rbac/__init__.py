"""Who reaches a sensitive action without stepping up."""
