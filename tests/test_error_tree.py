"""The errors: the drawn tree is the real one, codes are stable words, and each is documented."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from kubectl_stepup import errors
from kubectl_stepup.errors import StepUpError

ROOT = Path(__file__).resolve().parent.parent
EXIT_CODES_PAGE = ROOT / "docs" / "reference" / "exit-codes.md"

CLASSES = [
    error
    for _, error in inspect.getmembers(errors, inspect.isclass)
    if issubclass(error, StepUpError) and error is not StepUpError
]
BY_NAME = {error.__name__: error for error in CLASSES}
DRAWN = re.compile(
    r"^    (?P<indent>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: +(?P<code>[a-z-]+) +(?P<exit>\d+))?$",
    re.MULTILINE,
)


def drawn() -> dict[str, tuple[str, str, int]]:
    """Read the docstring's tree: class -> (parent, code, exit code)."""
    found = {}
    above: list[str] = []
    for match in DRAWN.finditer(errors.__doc__ or ""):
        depth = len(match["indent"]) // 4
        above[depth:] = [match["name"]]
        if depth:
            found[match["name"]] = (above[depth - 1], match["code"], int(match["exit"]))
    return found


def test_the_drawn_tree_is_the_real_one() -> None:
    assert drawn() == {
        name: (error.__mro__[1].__name__, error.code, error.exit_code) for name, error in BY_NAME.items()
    }


def test_codes_are_unique() -> None:
    assert len({error.code for error in CLASSES}) == len(CLASSES)


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_a_code_is_kebab_case(error: type[StepUpError]) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.code)


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_an_error_says_when_it_is_raised(error: type[StepUpError]) -> None:
    assert (error.__doc__ or "") not in {"", error.__mro__[1].__doc__}


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_an_error_uses_a_promised_exit_code(error: type[StepUpError]) -> None:
    assert error.exit_code in {1, 2, 4, 126, 127, 130}


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_an_error_is_documented_with_its_exit_code(error: type[StepUpError]) -> None:
    assert documented().get(error.code) == error.exit_code


def documented() -> dict[str, int]:
    """Read the page's table: code -> exit code."""
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", EXIT_CODES_PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {code: int(exit_code) for code, exit_code in rows}


def test_the_page_documents_no_code_that_is_gone() -> None:
    assert sorted(documented()) == sorted(error.code for error in CLASSES)


def test_an_error_keeps_message_hint_and_details() -> None:
    error = errors.TooWeak("wanted acr=mfa, got acr=pwd", hint="kubectl stepup setup", details={"wanted": "mfa"})
    assert (str(error), error.message, error.hint) == (
        "wanted acr=mfa, got acr=pwd",
        "wanted acr=mfa, got acr=pwd",
        "kubectl stepup setup",
    )
    assert error.details == {"wanted": "mfa"}
