"""The whole program between a hostile provider and a cluster stand-in: real processes, real kubectl, real sockets."""

from tests.support.lab.lab import Lab, opened_lab

__all__ = ["Lab", "opened_lab"]
