"""The token that the everyday user of a context presents (files and the user's own exec plugin).

Read by `setup` alone, to learn from a verified ID token which account is to be enrolled. The plugin is run as client-go
runs it.

Spec: kubeconfig v1 `AuthInfo`; client-go `tools/clientcmd`, `transport` (which credential counts) and
`plugin/pkg/client/auth/exec` (how a plugin is run).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubectl_stepup import environment
from kubectl_stepup.errors import ConfigError, KubeconfigError
from kubectl_stepup.kubeconfig.exec_credential import API_GROUP, VERSIONS
from kubectl_stepup.kubeconfig.exec_info import exec_infos
from kubectl_stepup.secret import Secret
from kubectl_stepup.strict_json import json_value
from kubectl_stepup.yaml_edit import edited_file, foreign_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_stepup.kubeconfig.context import ResolvedContext

PLUGIN_DEADLINE_S = 180.0
"""How long the everyday plugin may take: it may ask the person to sign in."""

_NAME_ACCOUNT = "kubectl stepup setup --account VALUE"
_MODES = ("Never", "IfAvailable", "Always")
_WITHOUT_MODE = f"{API_GROUP}/v1beta1"
"""The version in which `interactiveMode` may be left out."""


def everyday_token(resolved: ResolvedContext, *, environ: Mapping[str, str]) -> Secret | None:
    """Return the bearer token of a context's user, or None where client-go would present another kind of credential.

    A token file counts before a token, and either before everything else; a plugin is run only where there is neither
    a certificate nor a password.

    Raises:
        KubeconfigError: the token cannot be got.
    """
    user = _Fields(resolved.user_raw, resolved.user_file or resolved.file, f"users[{resolved.user}].user")
    token, token_file = user.text("token"), user.text("tokenFile")
    if token_file:
        return _from_file(user.path(token_file), token)
    if token:
        return Secret(token)
    has_certificate = any(user.text(f"client-certificate{end}") for end in ("", "-data"))
    if has_certificate or user.text("username") or user.text("password"):
        return None
    entry = user.mapping("exec")
    if entry is not None:
        return _Plugin.of(entry).token(resolved, environ)
    provider = user.mapping("auth-provider")
    config = None if provider is None or provider.text("name") != "oidc" else provider.mapping("config")
    id_token = "" if config is None else config.text("id-token")
    return Secret(id_token) if id_token else None


@dataclass(frozen=True, slots=True)
class _Fields:
    """A mapping of a kubeconfig, whose types its reader has checked (kube.config_v1); what is absent is empty."""

    values: Mapping[str, Any]
    file: str
    at: str

    def text(self, name: str) -> str:
        found: str = self.values.get(name, "")
        return found

    def mapping(self, name: str) -> _Fields | None:
        value = self.values.get(name)
        return None if value is None else _Fields(value, self.file, f"{self.at}.{name}")

    def path(self, value: str) -> str:
        """Return a path as this file means it: a relative one belongs to the directory of the file."""
        if os.path.isabs(value):
            return value
        # NOTE: `..` is taken off the name, as Go does it, not followed where a directory is a link.
        return os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(self.file)), value))

    def error(self, at: str, what: str) -> KubeconfigError:
        return KubeconfigError(f"{self.file}: {at}: {what}", hint=_NAME_ACCOUNT)


def _from_file(path: str, token: str) -> Secret:
    """Read a token file; where it cannot be read, `token` (may be empty) stands in for it."""
    try:
        data = edited_file.read(path, error=KubeconfigError)
        found = (data or b"").decode("utf-8").strip()
        if found:
            return Secret(found)
        reason = f"{path}: {'no such file' if data is None else 'it is empty'}"
    except (KubeconfigError, ValueError) as exc:
        reason = exc.message if isinstance(exc, KubeconfigError) else f"{path}: it is not UTF-8"
    if token:
        return Secret(token)
    raise KubeconfigError(f"the everyday token cannot be read: {reason}", hint=_NAME_ACCOUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plugin:
    """An exec entry (`ExecConfig`)."""

    command: str
    args: tuple[str, ...]
    env: Mapping[str, str]
    api_version: str
    install_hint: str
    provides_cluster: bool
    mode: str

    @classmethod
    def of(cls, entry: _Fields) -> _Plugin:
        """Read an entry.

        Raises:
            KubeconfigError: kubectl would refuse it.
        """
        command, api_version, mode = entry.text("command"), entry.text("apiVersion"), entry.text("interactiveMode")
        if not command:
            raise entry.error(f"{entry.at}.command", "is missing")
        known = [f"{API_GROUP}/{version}" for version in VERSIONS]
        if api_version not in known:
            raise entry.error(f"{entry.at}.apiVersion", f"{api_version!r} is not one of {', '.join(known)}")
        mode = mode or ("IfAvailable" if api_version == _WITHOUT_MODE else "")
        if mode not in _MODES:
            raise entry.error(f"{entry.at}.interactiveMode", f"{mode!r} is not one of {', '.join(_MODES)}")
        return cls(
            command=os.path.normpath(entry.path(command) if os.sep in command else command),
            args=tuple(entry.values.get("args", ())),
            env=_variables(entry),
            api_version=api_version,
            install_hint=" ".join(entry.text("installHint").split()),
            provides_cluster=entry.values.get("provideClusterInfo", False),
            mode=mode,
        )

    def token(self, resolved: ResolvedContext, environ: Mapping[str, str]) -> Secret:
        """Run the plugin and return the token that it prints.

        Raises:
            KubeconfigError: it cannot be run, fails, or prints something else.
        """
        has_terminal = sys.stdin is not None and not sys.stdin.closed and os.isatty(0)
        if self.mode == "Always" and not has_terminal:
            raise self._failed("wants a terminal (interactiveMode: Always), and standard input is none")
        interactive = has_terminal and self.mode != "Never"
        info = self._info(resolved, interactive=interactive)
        return self._token_in(self._output({**environ, **self.env, environment.EXEC_INFO: info}, environ, interactive))

    def _info(self, resolved: ResolvedContext, *, interactive: bool) -> str:
        if not self.provides_cluster:
            # As Go writes it, with a line end.
            shown = {"interactive": interactive}
            document = {"kind": "ExecCredential", "apiVersion": self.api_version, "spec": shown}
            return json.dumps(document, separators=(",", ":")) + "\n"
        try:
            values = exec_infos(resolved)
        except (OSError, ValueError) as exc:
            reason = getattr(exc, "strerror", None) or str(exc)
            raise KubeconfigError(f"{resolved.cluster_file}: the CA of {resolved.cluster}: {reason.lower()}") from exc
        version = VERSIONS.index(self.api_version.partition("/")[2])
        return values[2 * version + interactive].decode("utf-8")

    def _output(self, environ: Mapping[str, str], ours: Mapping[str, str], interactive: bool) -> bytes:
        path = self.command
        if os.sep not in path:
            # By our own PATH and not the entry's; never in the working directory.
            path = shutil.which(path, path=ours.get(environment.PATH, "")) or ""
        if not os.path.isabs(path):
            raise self._missing("is not on PATH")
        try:
            done = subprocess.run(
                [self.command, *self.args],
                executable=path,
                env=environ,
                stdin=None if interactive else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                timeout=PLUGIN_DEADLINE_S,
                check=False,
            )
        except FileNotFoundError as exc:
            raise self._missing("does not exist, or what it is to be run by does not") from exc
        except subprocess.TimeoutExpired as exc:
            raise self._failed(f"did not end within {PLUGIN_DEADLINE_S:.0f}s") from exc
        except OSError as exc:
            raise self._failed(f"could not be started: {(exc.strerror or str(exc)).lower()}") from exc
        except ValueError as exc:  # a NUL, or what the locale cannot say
            raise self._failed("could not be started: its words or variables cannot be handed over") from exc
        if done.returncode:
            how = f"with exit code {done.returncode}" if done.returncode > 0 else f"by signal {-done.returncode}"
            raise self._failed(f"ended {how}")
        return done.stdout

    def _token_in(self, output: bytes) -> Secret:
        document = _document(output)
        # client-go takes the kind for granted where it is left out.
        if document is None or document.get("kind") not in (None, "", "ExecCredential"):
            raise self._failed("printed no ExecCredential")
        if document.get("apiVersion") != self.api_version:
            given = document.get("apiVersion")
            raise self._failed(
                f"printed {given if isinstance(given, str) else 'no'} apiVersion, not {self.api_version}"
            )
        status = document.get("status")
        if not isinstance(status, dict):
            raise self._failed("printed no status")
        token, has_certificate = status.get("token"), bool(status.get("clientCertificateData"))
        if has_certificate is not bool(status.get("clientKeyData")):
            raise self._failed("printed a client certificate or its key, and not both")
        if isinstance(token, str) and token:
            return Secret(token)
        if has_certificate:
            raise self._failed("gives a client certificate and no token, which would prove the account")
        raise self._failed("printed no token")

    def _failed(self, what: str) -> KubeconfigError:
        return KubeconfigError(f"the everyday plugin {self.command} {what}", hint=_NAME_ACCOUNT)

    def _missing(self, what: str) -> KubeconfigError:
        error = self._failed(what)
        if self.install_hint:
            error.hint = f"{self.install_hint}   (or: {_NAME_ACCOUNT})"
        return error


def _variables(entry: _Fields) -> dict[str, str]:
    added: dict[str, str] = {}
    for index, variable in enumerate(entry.values.get("env", ())):
        if not variable.get("name"):
            raise entry.error(f"{entry.at}.env[{index}].name", "is missing")
        # Go puts name and value together, and what is before the first `=` is the name.
        name, _, value = f"{variable['name']}={variable.get('value', '')}".partition("=")
        added[name] = value
    return added


def _document(output: bytes) -> dict[str, Any] | None:
    """Read what a plugin printed, JSON or YAML; None where it is neither."""
    try:
        document = json_value(output, any_text=True)
    except ValueError:
        try:
            document = foreign_yaml.plain(output, "the plugin's answer")
        except ConfigError:
            return None
    return document if isinstance(document, dict) else None
