"""Fixtures: `from tests.support.provider.fixtures import provider, start_provider  # noqa: F401`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.support.provider.model import Answer, Want
from tests.support.provider.server import Provider

if TYPE_CHECKING:
    from kubectl_stepup.clock import Clock


class StartProvider(Protocol):
    """Start one more provider; it is stopped, and checked, with the test."""

    def __call__(
        self,
        *,
        want: Want | None = None,
        answer: Answer | None = None,
        clock: Clock | None = None,
        name: str | None = None,
    ) -> Provider: ...


@pytest.fixture
def start_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartProvider]:
    """Return a function that starts a provider."""
    with contextlib.ExitStack() as stack:

        def start(
            *,
            want: Want | None = None,
            answer: Answer | None = None,
            clock: Clock | None = None,
            name: str | None = None,
        ) -> Provider:
            directory: Path = tmp_path_factory.mktemp("provider")
            return stack.enter_context(Provider(directory, want=want, answer=answer, clock=clock, name=name))

        yield start


@pytest.fixture
def provider(start_provider: Callable[..., Provider]) -> Provider:
    """Return a provider that approves after one poll."""
    return start_provider()
