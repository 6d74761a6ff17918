"""The OpenID Connect client: transport, metadata, ID tokens, and what they prove."""
