"""Numbers that other people write, where Python's int() would take more than is meant, or fail."""

from __future__ import annotations

import pytest

from kubectl_stepup.cli.policy_server import _minor
from kubectl_stepup.errors import ConfigError, UsageError
from kubectl_stepup.policy.document import policy_from
from kubectl_stepup.yaml_edit import yaml_file


@pytest.mark.parametrize("version", ["1.\u00b2", "1.3\u00b2", "1.+33", "1.3_3", "1." + "9" * 5000, "1."])
def test_a_version_of_kubernetes(version: str) -> None:
    with pytest.raises(UsageError, match=r"is no version of 1\.30 or later"):
        _minor(version)


@pytest.mark.parametrize("version", ["1." + "9" * 5000 + ".0", "1.\u00b2.0", "1.+1.0", "1.1_0"])
def test_a_version_of_this_program(version: str) -> None:
    text = f"apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: Policy\nminClientVersion: '{version}'\nlevels: []\n"
    with pytest.raises(ConfigError, match=r"is not a version such as 1\.2\.0"):
        policy_from(yaml_file.parse(text.encode(), "policy.yaml"))
