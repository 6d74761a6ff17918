"""A static elevated user and context in a kubeconfig, for clients that start no command of ours (GUIs, IDEs).

Works on bytes; whoever writes them does it under kubectl's lock (`documents.edited_file`).

Spec: kubeconfig v1 (`NamedContext`, `NamedAuthInfo`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubectl_stepup.errors import KubeconfigError
from kubectl_stepup.kubeconfig.context import ResolvedContext
from kubectl_stepup.kubeconfig.overlay import USER_PREFIX
from kubectl_stepup.yaml_edit.splice import Parse, with_item, without_item


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticEntry:
    """A context and the elevated user that it names."""

    context_name: str
    context: Mapping[str, Any]
    user_name: str
    exec_entry: Mapping[str, Any]
    """As `kube.overlay.exec_entry` builds it."""


def static_entry(
    resolved: ResolvedContext, *, context_name: str, user_name: str, exec_entry: Mapping[str, Any]
) -> StaticEntry:
    """Build the entry for a second context to the cluster of `resolved`, with its namespace and extensions.

    `user_name` begins with `USER_PREFIX`, by which the entry is found again.
    """
    if not user_name.startswith(USER_PREFIX):
        raise ValueError(f"user_name must start with {USER_PREFIX}")
    context: dict[str, Any] = {"cluster": resolved.cluster, "user": user_name}
    if resolved.namespace:
        context["namespace"] = resolved.namespace
    if extensions := resolved.context_raw.get("extensions"):
        context["extensions"] = extensions
    # kubectl itself writes `env: null`; a field with nothing in it is left out here.
    written = {field: value for field, value in exec_entry.items() if value is not None}
    return StaticEntry(context_name=context_name, context=context, user_name=user_name, exec_entry=written)


def with_entry(data: bytes, file: str, entry: StaticEntry, *, parse: Parse) -> bytes:
    """Return the kubeconfig with the entry in it; the same bytes if it is there already.

    Raises:
        KubeconfigError: the names are taken by somebody else's entries, or the file cannot be edited in place.

    """
    document = _document(data, file, parse)
    context = _entry(document, "contexts", "context", entry.context_name)
    if context is not None and context.get("user") != entry.user_name:
        raise KubeconfigError(f"{file}: context {entry.context_name!r} exists and is not ours")
    user = _entry(document, "users", "user", entry.user_name)
    if user is not None and not _is_ours(entry.user_name, user):
        raise KubeconfigError(f"{file}: user {entry.user_name!r} exists and is not ours")
    new_user = {"name": entry.user_name, "user": {"exec": dict(entry.exec_entry)}}
    new_context = {"name": entry.context_name, "context": dict(entry.context)}
    data = with_item(data, file, key="users", item=new_user, parse=parse, error=KubeconfigError)
    return with_item(data, file, key="contexts", item=new_context, parse=parse, error=KubeconfigError)


def without_entry(data: bytes, file: str, context_name: str, *, parse: Parse) -> bytes:
    """Return the kubeconfig without the context and, unless another context names it, its elevated user.

    The same bytes if there is no such context.

    Raises:
        KubeconfigError: the context is somebody else's, or the file cannot be edited in place.

    """
    document = _document(data, file, parse)
    context = _entry(document, "contexts", "context", context_name)
    if context is None:
        return data
    user_name = str(context.get("user"))
    user = _entry(document, "users", "user", user_name)
    if user is None or not _is_ours(user_name, user):
        raise KubeconfigError(f"{file}: context {context_name!r} is not ours")
    data = without_item(data, file, key="contexts", name=context_name, parse=parse, error=KubeconfigError)
    others = [item for item in _items(_document(data, file, parse), "contexts") if _user_of(item) == user_name]
    if others:
        return data
    return without_item(data, file, key="users", name=user_name, parse=parse, error=KubeconfigError)


def _document(data: bytes, file: str, parse: Parse) -> Mapping[str, Any]:
    document = parse(data, file)
    if not isinstance(document, dict):
        raise KubeconfigError(f"{file}: a kubeconfig must be a mapping")
    return document


def _items(document: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    items = document.get(kind)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _entry(document: Mapping[str, Any], kind: str, field: str, name: str) -> Mapping[str, Any] | None:
    for item in _items(document, kind):
        if item.get("name") == name:
            value = item.get(field)
            return value if isinstance(value, dict) else {}
    return None


def _user_of(item: Mapping[str, Any]) -> object:
    context = item.get("context")
    return context.get("user") if isinstance(context, dict) else None


def _is_ours(name: str, user: Mapping[str, Any]) -> bool:
    """Recognise a user that we wrote: by its name, and that it has nothing but an exec entry."""
    return name.startswith(USER_PREFIX) and set(user) == {"exec"}
