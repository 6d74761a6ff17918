"""Find who reaches a sensitive action without stepping up."""
