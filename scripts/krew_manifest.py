"""Krew's rules for a plugin manifest, and filling in a version and the sha256 of an archive.

Spec: krew.googlecontainertools.github.com/v1alpha2; the rules are those of Krew's own validator
(https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/).
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

API_VERSION = "krew.googlecontainertools.github.com/v1alpha2"
PLACEHOLDER_VERSION = "v0.0.0"
PLACEHOLDER_SHA256 = "0" * 64
SUPPORTED = {
    *(("linux", arch) for arch in ("386", "amd64", "arm", "arm64", "ppc64le")),
    *(("darwin", arch) for arch in ("386", "amd64", "arm64")),
    *(("windows", arch) for arch in ("386", "amd64", "arm64")),
}
SEMANTIC_VERSION = re.compile(
    r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
)


def problems(manifest: dict[str, Any], *, file_stem: str) -> list[str]:
    """Return what Krew would reject; empty for a valid manifest.

    `file_stem` is the manifest's file name in an index, which must be the plugin's name.
    """
    spec = manifest.get("spec") or {}
    name = (manifest.get("metadata") or {}).get("name", "")
    found = []
    if manifest.get("apiVersion") != API_VERSION:
        found.append(f"apiVersion: {manifest.get('apiVersion')!r} is not {API_VERSION!r}")
    if manifest.get("kind") != "Plugin":
        found.append(f"kind: {manifest.get('kind')!r} is not 'Plugin'")
    if not re.fullmatch(r"[\w-]+", name):
        found.append(f"metadata.name: {name!r} is not a safe plugin name")
    if name != file_stem:
        found.append(f"metadata.name: {name!r} is not the file's name {file_stem!r}")
    if not SEMANTIC_VERSION.fullmatch(spec.get("version", "")):
        found.append(f"spec.version: {spec.get('version')!r} is not a semantic version with a leading v")
    summary = spec.get("shortDescription", "")
    if not summary or "\n" in summary or "\r" in summary:
        found.append(f"spec.shortDescription: {summary!r} is not one line")
    return found + platform_problems(spec.get("platforms") or [])


def platform_problems(platforms: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong with the platforms, each alone and all together."""
    found = [] if platforms else ["spec.platforms: empty"]
    taken: dict[tuple[str, str], int] = {}
    for index, platform in enumerate(platforms):
        where = f"spec.platforms[{index}]"
        found.extend(f"{where}.{problem}" for problem in one_platform_problems(platform))
        for pair in matched(platform):
            if pair in taken:
                found.append(f"{where}: matches {'/'.join(pair)}, and so does platforms[{taken[pair]}]")
            taken.setdefault(pair, index)
    return found


def one_platform_problems(platform: dict[str, Any]) -> list[str]:
    """Return what is wrong with one platform."""
    found = []
    if not platform.get("uri"):
        found.append("uri: missing")
    if not re.fullmatch(r"[0-9a-f]{64}", platform.get("sha256", "")):
        found.append(f"sha256: {platform.get('sha256')!r} is not 64 lower-case hexadecimal digits")
    program = platform.get("bin", "")
    if not program or not is_clean_relative(program):
        found.append(f"bin: {program!r} is not a clean relative path")
    for number, move in enumerate(platform.get("files") or []):
        if not move.get("from") or not is_clean_relative(move.get("to", "")):
            found.append(f"files[{number}]: needs `from`, and `to` as a clean relative path")
    if "files" in platform and not platform["files"]:
        found.append("files: empty; leave it out for all files")
    return found + selector_problems(platform)


def selector_problems(platform: dict[str, Any]) -> list[str]:
    """Return what is wrong with a platform's selector."""
    selector = platform.get("selector") or {}
    keys = {*selector.get("matchLabels", {}), *(one.get("key") for one in selector.get("matchExpressions", []))}
    if not keys:
        return ["selector: empty"]
    if keys - {"os", "arch"}:
        return [f"selector: knows only os and arch, not {', '.join(sorted(map(str, keys - {'os', 'arch'})))}"]
    pairs = matched(platform)
    if not pairs:
        return ["selector: matches no platform that Krew supports"]
    windows = [pair for pair in pairs if pair[0] == "windows"]
    if windows and not str(platform.get("bin", "")).endswith(".exe"):
        return [f"bin: {platform.get('bin')!r} must end in .exe on Windows"]
    return []


def matched(platform: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the supported (os, arch) pairs that a platform's selector matches."""
    selector = platform.get("selector") or {}
    return [
        pair
        for pair in sorted(SUPPORTED)
        if all(
            dict(zip(("os", "arch"), pair, strict=True)).get(key) == value
            for key, value in selector.get("matchLabels", {}).items()
        )
        and all(
            expression_matches(one, dict(zip(("os", "arch"), pair, strict=True)))
            for one in selector.get("matchExpressions", [])
        )
    ]


def expression_matches(expression: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether one matchExpression holds for the labels (meta/v1 LabelSelectorRequirement)."""
    key, operator, values = expression.get("key"), expression.get("operator"), expression.get("values") or []
    present = key in labels
    answers = {
        "In": present and labels.get(str(key)) in values,
        "NotIn": not present or labels.get(str(key)) not in values,
        "Exists": present,
        "DoesNotExist": not present,
    }
    return answers.get(str(operator), False)


def is_clean_relative(path: str) -> bool:
    """Whether a path is relative, has no `..` and is written the shortest way."""
    return bool(path) and not path.startswith("/") and ".." not in path.split("/") and posixpath.normpath(path) == path


def filled_in(text: str, *, version: str, sha256: str, system: str, arch: str) -> str:
    """Fill a manifest's placeholders for one platform; the manifest holds that platform's entry alone.

    `text` is the repository's manifest, `version` without v. Raises ValueError where the placeholders are not there.
    """
    uri_part = f"{PLACEHOLDER_VERSION}_{system}_{arch}.tar.gz"
    for wanted in (f'"{PLACEHOLDER_VERSION}"', f'"{PLACEHOLDER_SHA256}"', uri_part):
        if text.count(wanted) != 1:
            raise ValueError(f"the manifest must hold {wanted} once, it does {text.count(wanted)} times")
    body = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    return body.replace(PLACEHOLDER_VERSION, f"v{version}").replace(PLACEHOLDER_SHA256, sha256)
