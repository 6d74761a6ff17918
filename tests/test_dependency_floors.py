"""The dependency floors: the documented table, pyproject.toml and what is installed agree."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "dependencies.md"
ROW = re.compile(r"^\| `(?P<name>[\w.-]+)` \| (?P<floor>[\d.]+) \| (?P<for>[^|]+) \| (?P<why>[^|]+) \|$", re.MULTILINE)


def documented() -> dict[str, Version]:
    """Read the page's table."""
    return {
        canonicalize_name(row["name"]): Version(row["floor"]) for row in ROW.finditer(PAGE.read_text(encoding="utf-8"))
    }


def required() -> dict[str, Requirement]:
    """Read pyproject.toml's run-time dependencies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {canonicalize_name(one.name): one for one in map(Requirement, project["dependencies"])}


def lowest(specifier: SpecifierSet) -> Version | None:
    """Return the floor of a specifier."""
    floors = [Version(one.version) for one in specifier if one.operator == ">="]
    return max(floors, default=None)


def test_the_page_lists_every_dependency() -> None:
    assert sorted(documented()) == sorted(required())


@pytest.mark.parametrize("name", sorted(required()))
def test_a_floor_is_the_documented_one(name: str) -> None:
    assert lowest(required()[name].specifier) == documented()[name]


@pytest.mark.parametrize("name", sorted(required()))
def test_the_installed_version_meets_the_floor(name: str) -> None:
    requirement = required()[name]
    if requirement.marker is not None and not requirement.marker.evaluate():
        pytest.skip(f"{name} is not for this platform")
    assert requirement.specifier.contains(version(name), prereleases=True)


SECURITY_FLOORS = {
    "authlib": "1.8",
    "certifi": "2024.7.4",
    "click": "8.3.3",
    "cryptography": "50.0.0",
    "idna": "3.7",
    "jaraco-context": "6.1.0",
    "joserfc": "1.7.4",
    "keyring": "25.7",
    "pygments": "2.20",
    "pyyaml": "6.0.3",
    "secretstorage": "3.5",
    "urllib3": "2.7",
}
"""The first versions without a known advisory that concerns us; a floor may be higher, never lower."""


@pytest.mark.parametrize(("name", "first_safe"), SECURITY_FLOORS.items())
def test_a_floor_is_never_below_the_first_safe_version(name: str, first_safe: str) -> None:
    assert documented()[name] >= Version(first_safe)


@pytest.mark.parametrize("name", ["python-jose", "keyrings.alt", "pyjwt", "requests"])
def test_libraries_we_decided_against_are_not_required(name: str) -> None:
    assert canonicalize_name(name) not in required()


def test_keyrings_alt_is_not_installed() -> None:
    """Its plain-text back ends would be offered to everybody who has it installed."""
    with pytest.raises(PackageNotFoundError):
        version("keyrings.alt")
