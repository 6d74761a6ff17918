"""The audit log where there is no place for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from kubectl_stepup.errors import AuditUnavailable

if TYPE_CHECKING:
    from kubectl_stepup.audit.event import AuditEvent


class NoAuditLog:
    """Holds nothing and takes nothing; `why` says what is missing."""

    def __init__(self, why: str) -> None:
        self._why = why

    def append(self, event: AuditEvent) -> NoReturn:
        """Refuse.

        Raises:
            AuditUnavailable: always.
        """
        raise AuditUnavailable(self._why)

    def check(self) -> NoReturn:
        """Refuse.

        Raises:
            AuditUnavailable: always.
        """
        raise AuditUnavailable(self._why)

    def read(self, *, last: int | None = None) -> NoReturn:
        """Refuse.

        Raises:
            AuditUnavailable: always.
        """
        raise AuditUnavailable(self._why)

    def verify(self) -> NoReturn:
        """Refuse.

        Raises:
            AuditUnavailable: always.
        """
        raise AuditUnavailable(self._why)
