"""Where our files are, on each platform and with each variable."""

from __future__ import annotations

import pytest

from kubectl_stepup.config import places

LINUX = {"HOME": "/home/alice"}
WINDOWS = {
    "APPDATA": "C:\\Users\\a\\AppData\\Roaming",
    "LOCALAPPDATA": "C:\\Users\\a\\AppData\\Local",
    "PROGRAMDATA": "C:\\PD",
}


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_without_variables_everything_is_in_the_home(platform: str) -> None:
    assert places.user_directory(LINUX, platform=platform) == "/home/alice/.config/kubectl-stepup"
    assert places.user_config(LINUX, platform=platform) == "/home/alice/.config/kubectl-stepup/config.yaml"
    assert places.user_policy(LINUX, platform=platform) == "/home/alice/.config/kubectl-stepup/policy.yaml"
    assert places.state_directory(LINUX, platform=platform) == "/home/alice/.local/state/kubectl-stepup"
    assert places.runtime_directories(LINUX, platform=platform) == ("/home/alice/.local/state/kubectl-stepup/run",)


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_the_system_files_are_where_no_variable_can_move_them(platform: str) -> None:
    environ = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "PROGRAMDATA"), "/evil")
    assert places.system_config(environ, platform=platform) == "/etc/kubectl-stepup/config.yaml"
    assert places.system_policy(environ, platform=platform) == "/etc/kubectl-stepup/policy.yaml"


def test_xdg_variables_are_followed() -> None:
    environ = {**LINUX, "XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": "/run/user/1000"}
    assert places.user_directory(environ, platform="linux") == "/c/kubectl-stepup"
    assert places.state_directory(environ, platform="linux") == "/s/kubectl-stepup"
    assert places.runtime_directories(environ, platform="linux") == (
        "/run/user/1000/kubectl-stepup",
        "/s/kubectl-stepup/run",
    )


@pytest.mark.parametrize("value", ["", ".", "relative/path", "~/x"])
def test_a_value_that_is_not_absolute_is_ignored(value: str) -> None:
    environ = {**LINUX, "XDG_CONFIG_HOME": value, "XDG_STATE_HOME": value, "XDG_RUNTIME_DIR": value}
    assert places.user_directory(environ, platform="linux") == "/home/alice/.config/kubectl-stepup"
    assert places.runtime_directories(environ, platform="linux") == ("/home/alice/.local/state/kubectl-stepup/run",)


@pytest.mark.parametrize("home", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_without_a_home_there_are_no_places_of_the_user(home: dict[str, str]) -> None:
    assert places.user_config(home, platform="linux") is None
    assert places.user_policy(home, platform="linux") is None
    assert places.state_directory(home, platform="linux") is None
    assert places.runtime_directories(home, platform="linux") == ()


def test_windows_has_places_of_its_own() -> None:
    assert (
        places.user_config(WINDOWS, platform="win32") == "C:\\Users\\a\\AppData\\Roaming\\kubectl-stepup\\config.yaml"
    )
    assert places.system_policy(WINDOWS, platform="win32") == "C:\\PD\\kubectl-stepup\\policy.yaml"
    assert places.state_directory(WINDOWS, platform="win32") == "C:\\Users\\a\\AppData\\Local\\kubectl-stepup"
    assert places.runtime_directories(WINDOWS, platform="win32") == (
        "C:\\Users\\a\\AppData\\Local\\kubectl-stepup\\run",
    )
    assert places.user_config({}, platform="win32") is None
    assert places.system_config({}, platform="win32") is None
