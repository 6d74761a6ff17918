"""Read the device prompt from a screen, as a person does: by the words on it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_URL = re.compile(r"\bopen\b\W+(?P<url>https://\S+)", re.IGNORECASE)
_CODE = re.compile(r"\bcode\b\W+(?P<code>[A-Z0-9]{3,}(?:-[A-Z0-9]{3,})*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSeen:
    """Where the screen says to go, and the code to compare."""

    verification_uri: str
    user_code: str


def prompt_on(screen: str) -> PromptSeen | None:
    """Find a whole device prompt on a screen; None until both lines have ended."""
    whole = screen[: screen.rfind("\n") + 1]
    url, code = _URL.search(whole), _CODE.search(whole)
    if url is None or code is None:
        return None
    return PromptSeen(verification_uri=url["url"], user_code=code["code"].upper())
