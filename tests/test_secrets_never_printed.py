"""Secrets: what is one is typed `Secret`, and a `Secret` shows itself nowhere."""

from __future__ import annotations

import ast
import copy
import json
import pickle
import re
import traceback
from pathlib import Path

import pytest

from kubectl_stepup.secret import Secret

PACKAGE = Path(__file__).resolve().parent.parent / "kubectl_stepup"
VALUE = "eyJhbGciOiJSUzI1NiJ9.c2VjcmV0.c2lnbmF0dXJl"

SECRET_NAME = re.compile(r"token|secret|verifier|password|passphrase|_code$|^code$|private_key|seed$")
NOT_A_SECRET = {
    "code": "an error's stable word",
    "error_code": "the provider's word for an error",
    "exit_code": "a process's exit code",
    "id_token_lifetime_s": "a number of seconds",
    "intended_exit_code": "a process's exit code",
    "status_code": "HTTP's",
    "token_endpoint": "a public URL",
    "token_endpoint_auth_methods_supported": "public metadata",
    "token_expires_at": "a time",
    "token_file": "a path",
    "token_life_s": "a number of seconds",
    "token_lifetime_s": "a number of seconds",
    "token_type": "a word of RFC 6750",
    "user_code": "shown to the person on purpose (RFC 8628 section 3.3)",
}
"""Fields whose names sound secret and which are not, with the reason."""

DEMO_SHOWS = {
    "cookie_secret": "the demo's own server keeps it for the browser it sends it to",
    "csrf_secret": "the demo's own server puts it into its page",
    "password": "the demo's made-up user, shown to the player",
    "shown_code": "what a page shows as user code",
    "totp_secret": "the demo's made-up user, shown to the player",
}
"""Fields of the demo that are no secrets of the user's, with the reason."""


def fields() -> list[tuple[str, str, str]]:
    """Find every annotated field of every class: (where, name, annotation)."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found.extend(fields_of(node, path.relative_to(PACKAGE.parent)))
    return found


def fields_of(node: ast.ClassDef, path: Path) -> list[tuple[str, str, str]]:
    """Find a class's fields: annotated in its body, or the annotated arguments of its `__init__`."""
    found = [
        (f"{path}:{statement.lineno} {node.name}", statement.target.id, ast.unparse(statement.annotation))
        for statement in node.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    ]
    for function in node.body:
        if isinstance(function, ast.FunctionDef) and function.name == "__init__":
            arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            found.extend(
                (f"{path}:{argument.lineno} {node.name}.__init__", argument.arg, ast.unparse(argument.annotation))
                for argument in arguments
                if argument.annotation is not None
            )
    return found


def holds_a_secret(annotation: str) -> bool:
    """Whether an annotation is a Secret, an optional one, several, or a way to get one."""
    return re.search(r"\bSecret\b", annotation) is not None


def test_every_field_that_sounds_secret_is_a_secret() -> None:
    open_fields = [
        f"{where}: {name}: {annotation}"
        for where, name, annotation in fields()
        if SECRET_NAME.search(name)
        and name not in NOT_A_SECRET
        and not holds_a_secret(annotation)
        and annotation not in {"bool", "int", "float"}
        and not (name in DEMO_SHOWS and "/demo/" in where)
    ]
    advice = "type these Secret, or give the reason in NOT_A_SECRET"
    assert not open_fields, "\n".join([advice, *open_fields])


def test_the_walk_finds_fields() -> None:
    tree = ast.parse("class A:\n    id_token: str\n    def __init__(self, *, device_code: str) -> None: ...")
    assert [name for _, name, _ in fields_of(tree.body[0], Path("a.py"))] == ["id_token", "device_code"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "shown",
    [
        repr(Secret(VALUE)),
        str(Secret(VALUE)),
        f"{Secret(VALUE)}",
        f"{Secret(VALUE)!r:>80}",
        f"{Secret(VALUE):>80}",
        f"{Secret(VALUE)!s}",
        "%s" % Secret(VALUE),  # noqa: UP031
        "%r" % Secret(VALUE),  # noqa: UP031
        "{}".format(Secret(VALUE)),  # noqa: UP032
        repr([Secret(VALUE)]),
        repr({"id_token": Secret(VALUE)}),
        str(ValueError(Secret(VALUE))),
        ascii(Secret(VALUE)),
    ],
)
def test_a_secret_never_shows_itself(shown: str) -> None:
    assert VALUE not in shown
    assert "[redacted]" in shown


def test_a_traceback_with_locals_does_not_show_a_secret() -> None:
    """PROC-13."""

    def fail(token: Secret) -> None:
        raise RuntimeError(f"cannot use {token}")

    try:
        fail(Secret(VALUE))
    except RuntimeError as exc:
        shown = "".join(traceback.TracebackException.from_exception(exc, capture_locals=True).format())
    assert "token = [redacted]" in shown
    assert VALUE not in shown.replace(f"VALUE = '{VALUE}'", "")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_not_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="a Secret is not pickled"):
        pickle.dumps(Secret(VALUE), protocol)


def test_a_secret_is_not_copied_unseen() -> None:
    with pytest.raises(TypeError, match="a Secret is not pickled"):
        copy.deepcopy(Secret(VALUE))


def test_a_secret_is_not_json() -> None:
    with pytest.raises(TypeError, match="Secret is not JSON serializable"):
        json.dumps({"id_token": Secret(VALUE)})


def test_a_secret_has_no_dictionary_to_dump() -> None:
    assert not hasattr(Secret(VALUE), "__dict__")
    with pytest.raises(TypeError):
        vars(Secret(VALUE))


def test_a_secret_is_not_hashed() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        {Secret(VALUE)}


def test_secrets_compare_by_value_and_only_with_secrets() -> None:
    assert Secret(VALUE) == Secret(VALUE)
    assert Secret(VALUE) != Secret(VALUE + "x")
    assert Secret(VALUE) != VALUE
    assert Secret("\ud800") == Secret("\ud800")


def test_a_secret_gives_itself_out_when_asked() -> None:
    assert Secret(VALUE).reveal() == VALUE
    assert (bool(Secret("")), bool(Secret("x")), len(Secret("abc"))) == (False, True, 3)
