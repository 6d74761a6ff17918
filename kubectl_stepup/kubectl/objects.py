"""The objects that a command line names: `TYPE NAME…`, `TYPE,TYPE NAME…`, `TYPE/NAME…`, or those of its manifests.

Spec: k8s.io/cli-runtime `resource.Builder.ResourceTypeOrNameArgs`.
"""

from __future__ import annotations

from kubectl_stepup.kubectl.command_line import Malformed
from kubectl_stepup.kubectl.request import UNREAD, ObjectRef
from kubectl_stepup.kubectl.resources import UNKNOWN, Resource, resources_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kubectl_stepup.kubectl.command_line import CommandLine

SELECTORS = ("selector", "field-selector")
OWN_SELECTOR = ("create", "expose")
"""Commands whose `--selector` becomes a field of the new object."""

_NAMES_WIN = ("annotate", "label", "scale", "set", "wait")
"""Commands to which `--all` means nothing where objects are named."""

_TYPE_ALONE = ("apply", "describe", "edit", "get", "rollout")  # these take `TYPE` for all its objects


def manifests(line: CommandLine) -> tuple[str, ...]:
    """Return the files, directories, URLs and `-` of `-f`, then the directory of `-k`."""
    kustomize = line.last("kustomize") if "kustomize" in line.own else None
    files = line.all("filename") if "filename" in line.own else ()
    return (*files, *([kustomize] if kustomize else []))


def selects(line: CommandLine) -> bool:
    """Whether the server chooses the objects: `--all`, `-l` or `--field-selector`."""
    return line.on("all") or _selects_by(line)


def _selects_by(line: CommandLine) -> bool:
    return line.path[0] not in OWN_SELECTOR and any(line.last(name) for name in SELECTORS if name in line.own)


def objects(line: CommandLine, words: Sequence[str], expanded: Sequence[ObjectRef] | None) -> tuple[ObjectRef, ...]:
    """Return the objects that `words` name and those of `-f` and `-k`.

    `expanded` are the objects of the manifests where somebody has read them; else they are one unknown object.

    Raises: Malformed where kubectl would reject the words.
    """
    named = _typed(words, namespace_of(line)) if words else ()
    _require_choice(line, named)
    if expanded is not None:
        return (*named, *expanded)
    return (*named, *(ObjectRef(resource=UNKNOWN, marks=frozenset({UNREAD})) for _ in manifests(line)[:1]))


def _require_choice(line: CommandLine, named: Sequence[ObjectRef]) -> None:
    """Reject names beside a selector, names in all namespaces, and neither name nor selector, as kubectl does."""
    selected, everywhere = selects(line), line.on("all-namespaces")
    ambiguous = _selects_by(line) or (line.on("all") and line.path[0] not in _NAMES_WIN)
    for target in named:
        if target.name is None:
            if not selected and line.path[0] not in _TYPE_ALONE:
                raise Malformed(f"no name and no selector is given for {target.resource.name}")
        elif ambiguous:
            raise Malformed("a name beside a selector")
        elif everywhere and target.resource.namespaced:
            raise Malformed("a name in all namespaces")


def namespace_of(line: CommandLine) -> str | None:
    """Return the namespace that the flags say; None where the context's counts, and with `-A`."""
    if line.on("all-namespaces"):
        return None
    return line.last("namespace") or None


def instances(resource: str, words: Iterable[str], namespace: str | None) -> tuple[ObjectRef, ...]:
    """Return objects where the command knows the resource (`cordon NODE`, `exec POD`); `TYPE/NAME` is allowed too."""
    found: list[ObjectRef] = []
    for word in words:
        if "/" in word:
            found.extend(_typed((word,), namespace))
        else:
            found.append(ObjectRef(resource=resources_named(resource)[0], name=word, namespace=namespace))
    return tuple(found)


def split_pairs(words: Sequence[str], *, colons: bool = False) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Part the resources from the `KEY=VALUE` and `KEY-` words that follow them (with `colons`: taints)."""
    return _split(words, lambda word: _is_pair(word) or (colons and ":" in word))


def split_variables(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Part the resources from the words of `set env`, among which `-` stands for standard input."""
    return _split(words, lambda word: "=" in word or word.endswith("-"))


def _split(words: Sequence[str], is_pair: Callable[[str], bool]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    for at, word in enumerate(words):
        if is_pair(word):
            stray = [later for later in words[at:] if not is_pair(later)]
            if stray:
                raise Malformed(f"{stray[0]!r} behind what is to be changed")
            return tuple(words[:at]), tuple(words[at:])
    return tuple(words), ()


def _is_pair(word: str) -> bool:
    return ("=" in word and word[0] != "=") or (word.endswith("-") and word != "-")


def _typed(words: Sequence[str], namespace: str | None) -> tuple[ObjectRef, ...]:
    if any("/" in word for word in words):
        return tuple(found for word in words for found in _type_and_name(word, namespace))
    kinds = [resource for word in dict.fromkeys(words[0].split(",")) for resource in _resources(word)]
    names: Sequence[str | None] = words[1:] or (None,)
    if "" in names:
        raise Malformed("an empty name")
    return tuple(ObjectRef(resource=resource, name=name, namespace=namespace) for resource in kinds for name in names)


def _type_and_name(word: str, namespace: str | None) -> Iterable[ObjectRef]:
    kind, slash, name = word.partition("/")
    if not slash:
        raise Malformed(f"{word!r} beside TYPE/NAME words")
    if not kind or not name or "/" in name or "," in kind:
        raise Malformed(f"{word!r} is not TYPE/NAME")
    return [ObjectRef(resource=resource, name=name, namespace=namespace) for resource in _resources(kind)]


def _resources(word: str) -> tuple[Resource, ...]:
    if not word:
        raise Malformed("an empty resource type")
    return resources_named(word)
