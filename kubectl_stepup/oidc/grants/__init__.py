"""OAuth grants: how a token is obtained."""
