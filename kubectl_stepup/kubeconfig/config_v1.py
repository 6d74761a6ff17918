"""A kubeconfig document with the types that kubectl demands of it.

Fields are known by their exact names; those that kubectl does not know are left out, and so is what is null. A value of
a wrong type anywhere makes kubectl refuse the whole file, and so it does here.

Spec: `k8s.io/client-go/tools/clientcmd/api/v1` (types.go, conversion.go), decoded as by `sigs.k8s.io/json`.
"""

from __future__ import annotations

import binascii
from typing import Any

from kubectl_stepup.errors import ConfigError, KubeconfigError
from kubectl_stepup.yaml_edit import foreign_yaml

_EXTENSIONS = [{"name": str, "extension": object}]
_CLUSTER = {
    "server": str,
    "tls-server-name": str,
    "insecure-skip-tls-verify": bool,
    "certificate-authority": str,
    "certificate-authority-data": bytes,
    "proxy-url": str,
    "disable-compression": bool,
    "extensions": _EXTENSIONS,
}
_CONTEXT = {"cluster": str, "user": str, "namespace": str, "extensions": _EXTENSIONS}
_EXEC = {
    "command": str,
    "args": [str],
    "env": [{"name": str, "value": str}],
    "apiVersion": str,
    "installHint": str,
    "provideClusterInfo": bool,
    "interactiveMode": str,
}
_USER = {
    **{f"client-{what}{form}": kind for what in ("certificate", "key") for form, kind in (("", str), ("-data", bytes))},
    **dict.fromkeys(("token", "tokenFile", "as", "as-uid", "username", "password"), str),
    "as-groups": [str],
    "as-user-extra": {...: [str]},
    "auth-provider": {"name": str, "config": {...: str}},
    "exec": _EXEC,
    "extensions": _EXTENSIONS,
}
_KUBECONFIG = {
    "kind": str,
    "apiVersion": str,
    "preferences": {"colors": bool, "extensions": _EXTENSIONS},
    "clusters": [{"name": str, "cluster": _CLUSTER}],
    "users": [{"name": str, "user": _USER}],
    "contexts": [{"name": str, "context": _CONTEXT}],
    "current-context": str,
    "extensions": _EXTENSIONS,
}
"""Go's types: a mapping has these fields, or any (`...`); `bytes` are base64; `object` is anything."""

_API_VERSIONS = ("", "/", "v1", "/v1")
_LISTS = ("clusters", "users", "contexts")
_ZEROS: dict[object, object] = {str: "", bytes: "", bool: False, object: None}
_WANTED = {str: "a text", bool: "true or false", bytes: "a text in base64"}

_HINT = "kubectl config view"

_Path = tuple[str | int, ...]


class _Wrong(Exception):
    """A value that kubectl refuses."""

    def __init__(self, path: _Path, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


def parse(data: bytes, file: str) -> dict[str, Any]:
    """Return the kubeconfig in the bytes of a file; `file` is only named in messages.

    Raises:
        KubeconfigError: kubectl would refuse it, or it is beyond what is read (foreign_yaml); it names the line.

    """
    try:
        return _kubeconfig(foreign_yaml.plain(data, file, error=KubeconfigError))
    except KubeconfigError as exc:
        raise KubeconfigError(exc.message, hint=_HINT, details=exc.details) from exc
    except _Wrong as wrong:
        try:
            line = foreign_yaml.line_of(data, wrong.path)
        except ConfigError:  # it was read just now
            line = 1
        at = f"{_written(wrong.path)}: " if wrong.path else ""
        raise KubeconfigError(
            f"{file}:{line}: {at}{wrong.message}", hint=_HINT, details={"file": file, "line": line}
        ) from wrong


def _kubeconfig(document: Any) -> dict[str, Any]:
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise _Wrong((), "a kubeconfig must be a mapping")
    found: dict[str, Any] = _value(document, _KUBECONFIG, ())
    if found.get("apiVersion", "") not in _API_VERSIONS:
        raise _Wrong(("apiVersion",), f"must be v1, not {found['apiVersion'][:40]!r}")
    if found.get("kind", "") not in ("", "Config"):
        raise _Wrong(("kind",), f"must be Config, not {found['kind'][:40]!r}")
    for kind in _LISTS:
        _require_each_once(found.get(kind, ()), kind)
    return found


def _require_each_once(entries: Any, kind: str) -> None:
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        name = entry.get("name", "")
        if name in seen:
            raise _Wrong((kind, index, "name"), f"{name[:80]!r} is there twice")
        seen.add(name)


def _value(found: Any, wanted: Any, path: _Path) -> Any:
    """Return a value as Go would have it; `wanted` is its type."""
    if wanted is object:
        return found
    if isinstance(wanted, list):
        return _list(found, wanted[0], path)
    if isinstance(wanted, dict):
        return _mapping(found, wanted, path)
    if wanted is bytes:
        return _base64(found, path)
    if not isinstance(found, wanted):
        raise _wrong_type(wanted, path)
    return found


def _list(found: Any, wanted: Any, path: _Path) -> list[Any]:
    if not isinstance(found, list):
        raise _Wrong(path, "must be a list")
    zero = _ZEROS.get(wanted) if isinstance(wanted, type) else {}
    return [zero if one is None else _value(one, wanted, (*path, index)) for index, one in enumerate(found)]


def _mapping(found: Any, wanted: dict[Any, Any], path: _Path) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise _Wrong(path, "must be a mapping")
    if ... in wanted:
        anything = wanted[...]
        zero = _ZEROS.get(anything) if isinstance(anything, type) else []
        return {key: zero if one is None else _value(one, anything, (*path, key)) for key, one in found.items()}
    return {key: _value(found[key], kind, (*path, key)) for key, kind in wanted.items() if found.get(key) is not None}


def _base64(found: Any, path: _Path) -> str:
    """Return base64 as it is written, without line ends; Go takes a list of numbers too."""
    if isinstance(found, list) and all(one is None or (type(one) is int and 0 <= one < 256) for one in found):
        return binascii.b2a_base64(bytes(one or 0 for one in found), newline=False).decode()
    if not isinstance(found, str):
        raise _wrong_type(bytes, path)
    text = found.replace("\r", "").replace("\n", "")
    try:
        binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError as exc:
        raise _wrong_type(bytes, path) from exc
    return text


def _wrong_type(wanted: type, path: _Path) -> _Wrong:
    # NOTE: what was found is not shown: it may be a token under a wrong name.
    return _Wrong(path, f"must be {_WANTED[wanted]}")


def _written(path: _Path) -> str:
    """Return a path as people write it: `users[2].user.exec`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step[:80]}" for step in path)
    return text.removeprefix(".")
