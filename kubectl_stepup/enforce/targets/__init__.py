"""One kind of server object a module."""
