"""Text that a policy's author wrote for people. It is always shown with who wrote it, and in quotes.

Whatever shows one goes through `terminal.quoted_text`; there is no way to print the bare text by accident.
"""

from __future__ import annotations

from kubectl_stepup.values import Record


class QuotedText(Record):
    """A text, what it is (`message of rule deletes`), and where it stands.

    `cluster` is the enrolled name of the cluster that published it. None: it stands in `file` on this machine.
    """

    what: str
    text: str
    file: str = ""
    cluster: str | None = None

    @property
    def source(self) -> str:
        """Who wrote it, as it is said to people."""
        return (
            f"from {self.file or 'a policy file'}" if self.cluster is None else f"published by cluster {self.cluster}"
        )

    def to_json(self) -> dict[str, str | None]:
        """Return the members for `-o json`."""
        return {"what": self.what, "source": self.source, "text": self.text}

    def __str__(self) -> str:
        return f"{self.what}, {self.source}: {self.text!a}"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)
