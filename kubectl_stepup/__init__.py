"""sudo for kubectl, enforced by the API server itself."""

__version__ = "0.1.0"
