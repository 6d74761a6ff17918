"""The wire to the identity provider, in the words of RFC 6749, RFC 8628 and OpenID Connect."""
