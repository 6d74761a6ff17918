"""A strict OpenID Provider for tests: a real https server in a thread, with a switch for every fault.

`Want` is what the client must send (a wrong request makes the test fail), `Answer` is what it gets. Use the fixtures of
`tests.support.provider.fixtures` (`provider`, `start_provider`), or `Provider` itself as a context manager.
"""

from tests.support.provider.model import ABSENT, Answer, Raw, Recorded, Want
from tests.support.provider.server import Provider

__all__ = ["ABSENT", "Answer", "Provider", "Raw", "Recorded", "Want"]
