"""Ports for `setup`, and the carrying out of its plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kubectl_stepup.assurance.id_token import usable_algorithms, verify
from kubectl_stepup.audit.event import Activity
from kubectl_stepup.config import files
from kubectl_stepup.documents import edited_file, yaml_file
from kubectl_stepup.errors import ConfigError
from kubectl_stepup.flows.enrol import EnrolPorts
from kubectl_stepup.flows.sessions import end_what_counts_no_more
from kubectl_stepup.kube.everyday_token import everyday_token
from kubectl_stepup.terminal.notices import session_ended_line, session_not_ended_line
from kubectl_stepup.wiring.launcher import lasting
from kubectl_stepup.wiring.running import credential_command, session_ports, store_arguments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_stepup.config.model import Cluster, Config
    from kubectl_stepup.flows.enrol import FileChange
    from kubectl_stepup.wiring.application import Application


def enrol_ports(application: Application) -> EnrolPorts:
    """Give what `setup` needs.

    Raises:
        ConfigError: the environment knows no place for the config.
    """
    path = files.config_path(application.environ, application.settings.config)
    if path is None:
        raise ConfigError("there is no place for the config: neither HOME nor XDG_CONFIG_HOME is set")
    config = application.config_to_write()
    where = store_arguments(config.store, application.state_directory)
    program, *words = credential_command(where)
    return EnrolPorts(
        config=config,
        config_path=path,
        policy=application.policy,
        read=edited_file.read,
        parse=yaml_file.plain,
        client=application.provider,
        verify=verify,
        usable_algorithms=usable_algorithms,
        everyday_token=lambda resolved: everyday_token(
            resolved.user_raw, file=resolved.user_file, environ=application.environ
        ),
        credential_command=(lasting(program), *words),
        store_arguments=where,
        now=application.clock.now,
        notice=application.terminal.line,
    )


def clear_away(application: Application, *paths: str) -> None:
    """Remove what a `setup` that was killed left beside the files: else kubectl would wait for a lock of nobody's."""
    for path in paths:
        edited_file.clear_away(path, clock=application.clock)


def carry_out(
    application: Application, changes: Iterable[FileChange], cluster: Cluster, before: Config, *, removed: bool
) -> None:
    """Write the changes, each made anew from the file as it then is, under its lock; record it.

    Sessions that rested on what was enrolled before, and no longer is, end in every terminal.
    """
    for change in changes:
        edited_file.change(change.path, change.edit, clock=application.clock)
    application.recorder.noted(
        Activity.SETUP,
        "removed" if removed else "enrolled",
        cluster=cluster.name,
        account=cluster.account,
        context=cluster.context,
    )
    if any(one.name == cluster.name or one.provider == cluster.provider for one in before.clusters):
        _end_sessions(application, before)


def _end_sessions(application: Application, before: Config) -> None:
    ports = replace(session_ports(application), config=before, store=application.opened_store(quietly=True))
    try:
        config = type(application)(application.settings, application.environ).config
    except ConfigError:  # somebody changed it meanwhile; no session serves by such a file
        return
    done = end_what_counts_no_more(config, ports)
    for item in done.ended:
        application.terminal.line(session_ended_line(level=item.session.level, cluster=item.session.cluster))
    for failure in done.failures:
        application.terminal.line(session_not_ended_line(failure))
