"""The demo: an identity provider, a cluster stand-in and a person, all on loopback and gone at the end."""
