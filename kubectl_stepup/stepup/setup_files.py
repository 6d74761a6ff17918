"""Ports for `setup`, and the carrying out of its plan."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.audit.event import Activity
from kubectl_stepup.config import files
from kubectl_stepup.config.document import config_of
from kubectl_stepup.errors import ConfigError
from kubectl_stepup.kubeconfig import load
from kubectl_stepup.kubeconfig.everyday_token import everyday_token
from kubectl_stepup.kubeconfig.exec_info import too_large
from kubectl_stepup.oidc.id_token import usable_algorithms, verify
from kubectl_stepup.stepup.native_launcher import lasting
from kubectl_stepup.stepup.own_programs import credential_command, store_arguments
from kubectl_stepup.stepup.sessions import StoredSessions, end_what_counts_no_more
from kubectl_stepup.stepup.setup import EnrolPorts
from kubectl_stepup.trusted_file import untrusted
from kubectl_stepup.ui.notices import session_ended_line, session_not_ended_line
from kubectl_stepup.yaml_edit import edited_file, foreign_yaml, yaml_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_stepup.config.model import Cluster, Config
    from kubectl_stepup.stepup.app import App
    from kubectl_stepup.stepup.setup import FileChange


def enrol_ports(app: App, kubeconfig_flag: str | None = None) -> EnrolPorts:
    """Return what `setup` needs.

    Raises:
        ConfigError: the environment knows no place for the config, or others could replace it there.
    """
    path = files.config_path(app.environ, app.settings.config)
    if path is None:
        raise ConfigError("there is no place for the config: neither HOME nor XDG_CONFIG_HOME is set")
    fault = untrusted(path)
    if fault is not None:
        raise ConfigError(f"{path}: {fault}, so no command would read it", hint=fault.hint)
    config = config_to_write(app)
    where = store_arguments(config.store, app.state_directory)
    program, *words = credential_command(where)
    return EnrolPorts(
        config=config,
        config_path=path,
        policy=app.policy,
        read=edited_file.read,
        parse=foreign_yaml.plain,
        load=lambda data: _config_with(files.TrustedFile(path=path, data=data)),
        client=app.provider,
        verify=verify,
        usable_algorithms=usable_algorithms,
        everyday_token=lambda resolved: everyday_token(resolved, environ=app.environ),
        kubeconfig_files=load.files_of(app.environ, kubeconfig_flag),
        can_change=edited_file.can_change,
        credential_command=(lasting(program), *words),
        store_arguments=where,
        too_large=too_large,
        now=app.clock.now,
        notice=app.terminal.line,
    )


def config_to_write(app: App) -> Config:
    """Return the config as `setup` starts from it: the file named by flag or variable need not exist yet."""
    named = app.settings.config or app.environ.get(environment.CONFIG)
    return _config_with(None) if named and not os.path.exists(named) else app.config


def _config_with(user: files.TrustedFile | None) -> Config:
    """Read the whole config with this in place of the user's file."""
    system = files.config_files({}, None).system
    return config_of(*(None if file is None else yaml_file.parse(file.data, file.path) for file in (system, user)))


def clear_away(app: App, *paths: str) -> None:
    """Remove what a `setup` that was killed left beside the files: else kubectl would wait for a lock of nobody's."""
    for path in paths:
        edited_file.clear_away(path, clock=app.clock)


def carry_out(app: App, changes: Iterable[FileChange], cluster: Cluster, before: Config, *, removed: bool) -> None:
    """Write the changes, each made anew from the file as it then is, under its lock; read the config again; record it.

    Sessions that rested on what was enrolled before, and no longer is, end in every terminal.

    Raises:
        ConfigError: a file cannot be written, or the config not read; what was written before is taken back.
    """
    with ExitStack() as written:
        for change in changes:
            earlier = edited_file.read(change.path)
            edited_file.change(change.path, change.edit, clock=app.clock)
            written.callback(_take_back, change.path, earlier, edited_file.read(change.path), app)
        config = app.read_config()
        written.pop_all()
    app.recorder.noted(
        Activity.SETUP,
        "removed" if removed else "enrolled",
        cluster=cluster.name,
        account=cluster.account,
        context=cluster.context,
    )
    if any(one.name == cluster.name or one.provider == cluster.provider for one in before.clusters):
        _end_sessions(app, before, config)


def _take_back(path: str, before: bytes | None, written: bytes | None, app: App) -> None:
    """Put a file back as it was, unless somebody has changed it since."""
    if before is None:
        if edited_file.read(path) == written:
            os.unlink(path)
        return
    edited_file.change(path, lambda now: before if now == written or now is None else now, clock=app.clock)


def _end_sessions(app: App, before: Config, config: Config) -> None:
    done = end_what_counts_no_more(config, StoredSessions(app, before, app.opened_store(quietly=True)))
    for item in done.ended:
        app.terminal.line(session_ended_line(level=item.session.level, cluster=item.session.cluster))
    for failure in done.failures:
        app.terminal.line(session_not_ended_line(failure))
