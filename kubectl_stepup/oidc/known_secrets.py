"""The secrets of one provider's exchanges, taken out of whatever others say before it is shown or kept.

A provider may quote a device code in an error, and a proxy a form in a page. So what was sent or received as a secret
is looked for in foreign text: as it is, in the escapes of URLs, JSON and base64, and any part of it that is long
enough to be no coincidence.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_stepup.errors import StepUpError

SECRET_MEMBERS = frozenset(
    {
        *("access_token", "client_secret", "code_verifier", "device_code", "id_token", "nonce", "refresh_token"),
        "token",
    }
)
"""Members of requests and answers whose value is a secret."""

SHORTEST = 8
"""So many characters in a row are taken for a part of a secret; a secret that is shorter is a word like any other."""

LONGEST_END = 8192
"""Of a longer secret so many characters of either end are looked for: what lies between is of no use without them."""

MOST_PARTS = 1_000_000
"""So many parts are looked for, some 100 MB of them. Tokens of a usual length make a twentieth of that, and who sends
more than this only hides its own tokens less."""

MARK = "[redacted]"
_LOWER = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})


class KnownSecrets:
    """What must not be said; nothing here is ever shown."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._parts: set[str] = set()
        self._pending: list[str] = []

    def __repr__(self) -> str:
        return f"KnownSecrets({MARK})"

    def learn(self, members: Mapping[str, object]) -> None:
        """Remember the secrets among the members of a form or an answer."""
        for name in SECRET_MEMBERS & members.keys():
            value = members[name]
            if isinstance(value, str) and len(value) >= SHORTEST and value not in self._values:
                self._values.add(value)
                ends = (value[:LONGEST_END], value[-LONGEST_END:])
                self._pending += ends if len(value) > 2 * LONGEST_END else (value,)

    def hidden(self, text: str) -> str:
        """Return `text` with every part of a secret replaced."""
        if len(text) < SHORTEST or not self._values:
            return text
        # Letters in either case: the digits of %2F are written both ways.
        lowered, parts = text.translate(_LOWER), self._all_parts()
        pieces, shown_to, covered_to = "", 0, -1
        for at in range(len(lowered) - SHORTEST + 1):
            if lowered[at : at + SHORTEST] not in parts:
                continue
            if at > covered_to:
                pieces += text[shown_to:at] + MARK
            shown_to = covered_to = at + SHORTEST
        return pieces + text[shown_to:]

    def without(self, value: object) -> object:
        """Return a JSON value with every text in it `hidden`."""
        if isinstance(value, str):
            return self.hidden(value)
        if isinstance(value, list | tuple):
            return [self.without(item) for item in value]
        if isinstance(value, Mapping):
            return {self.without(name): self.without(item) for name, item in value.items()}
        return value

    def hide_in(self, error: StepUpError) -> None:
        """Take the secrets out of an error that is about to be shown, recorded or remembered."""
        error.message = self.hidden(error.message)
        error.args = (error.message,)
        error.hint = None if error.hint is None else self.hidden(error.hint)
        error.details = {name: self.without(value) for name, value in error.details.items()}

    def _all_parts(self) -> set[str]:
        while self._pending:
            for form in _forms(self._pending.pop(0)):
                if len(self._parts) > MOST_PARTS:
                    continue
                lowered = form.translate(_LOWER)
                self._parts.update(lowered[at : at + SHORTEST] for at in range(len(lowered) - SHORTEST + 1))
        return self._parts


def _forms(value: str) -> Iterator[str]:
    """List how a text is written where it stands in a URL, in JSON, in base64 or in hexadecimal digits."""
    data = value.encode("utf-8", "surrogatepass")
    yield value
    yield quote(data, safe="")
    yield quote_plus(data)
    yield "".join(f"%{byte:02x}" for byte in data)
    yield json.dumps(value)[1:-1]
    yield data.hex()
    for before in range(3):  # base64 depends on how many bytes came before
        encoded = base64.b64encode(b"\0" * before + data)[(0, 2, 3)[before] :].rstrip(b"=")
        whole = encoded[: len(encoded) - 1].decode("ascii")  # the last character may have bits of what follows
        yield whole
        yield whole.translate(str.maketrans("+/", "-_"))
