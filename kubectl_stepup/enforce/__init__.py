"""Compile a policy to the objects that make the API server enforce it."""
