"""What every test stands on: an environment of its own, so that no test reads or writes the user's files."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from pathlib import Path

FOREIGN = (
    "BROWSER",
    "CI",
    "CLICOLOR",
    "COLUMNS",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "KUBECACHEDIR",
    "KUBECONFIG",
    "KUBERC",
    "KUBERNETES_EXEC_INFO",
    "LINES",
    "NO_COLOR",
    "PYTHON_KEYRING_BACKEND",
    "SSH_CONNECTION",
    "SSH_TTY",
    "TERM",
    "WAYLAND_DISPLAY",
)
"""Variables of the machine that would change what a test sees."""

FOREIGN_PREFIXES = ("KUBECTL_", "KUBERNETES_SERVICE_", "XDG_", "AUTHLIB_")
PROXIES = ("all_proxy", "ftp_proxy", "http_proxy", "https_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the test a home of its own and nothing of the machine's settings."""
    for name in list(os.environ):
        if name in FOREIGN or name.startswith(FOREIGN_PREFIXES) or name.lower() in PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TERM", "dumb")
    (tmp_path / "home").mkdir(exist_ok=True)


# A slow machine is no defect: speeds are measured by benchmarks, in ratios.
settings.register_profile("kubectl-stepup", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kubectl-stepup")

# Whoever starts the tests in the background may have had these ignored, and every program they start would inherit it.
for _number, _ignored_no_more in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, _ignored_no_more)
