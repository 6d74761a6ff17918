"""Whatever `setup` accepts, the config loads afterwards and says what was enrolled; else nothing is written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_stepup.config.document import config_of
from kubectl_stepup.errors import ConfigError, KubeconfigError, StepUpError
from kubectl_stepup.stepup.setup import plan_enrolment
from kubectl_stepup.yaml_edit import yaml_file
from tests.flows import RESOLVED
from tests.support.values import repinned
from tests.unit.stepup.test_setup import FIRST, LAB, PATH, Machine

TEXTS = st.text(st.characters(), max_size=12) | st.sampled_from(
    [
        "yes",
        "null",
        "~",
        "1e3",
        "0x1f",
        "1_000",
        "- a",
        "a: b",
        "#a",
        "'",
        "\\",
        "\n",
        "\x85",
        "\u2028",
        "\ud83d",
        "\U0001f9a2",
    ]
)
SERVERS = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["https://", "HTTPS://", "http://", "https:", "", " https://"]),
    st.sampled_from(
        ["host", "HOST.example.com", "10.0.0.1", "[::1]", "user@host", "u:p@host", "host name", "hö", "", "[::"]
    ),
    st.sampled_from(["", ":6443", ":", ":x", ":99999", ":0"]),
    st.sampled_from(["", "/", "/prefix", "//", "/a b", "/%20", "/\t", "/é", " "]),
    st.sampled_from(["", "?", "#", "?a=b", "#f", "?#", "\n"]),
)


@settings(max_examples=400, deadline=None)
@given(
    server=SERVERS,
    context=TEXTS.filter(bool),
    account=TEXTS.filter(bool),
    tls_server_name=st.none() | TEXTS,
    proxy_url=st.none() | TEXTS,
    labels=st.dictionaries(TEXTS, TEXTS, max_size=2),
)
def test_what_is_accepted_loads(
    server: str,
    context: str,
    account: str,
    tls_server_name: str | None,
    proxy_url: str | None,
    labels: dict[str, str],
) -> None:
    machine = Machine()
    machine.enrol(FIRST)
    before = machine.files[PATH]
    resolved = repinned(
        LAB, context=context, server=server, tls_server_name=tls_server_name, proxy_url=proxy_url, insecure=bool(labels)
    )
    try:
        cluster, changes = plan_enrolment(replace(FIRST, account=account, labels=labels), resolved, machine.ports())
    except StepUpError:
        assert machine.files[PATH] == before
        return
    machine.write(changes)
    loaded = config_of(None, yaml_file.parse(machine.files[PATH], PATH))
    assert loaded.cluster(cluster.name) == cluster
    assert (cluster.server, cluster.context, cluster.account) == (server, context, account)


@pytest.mark.parametrize(
    ("server", "fault"),
    [
        ("https://host:6443/?", "must have no user, query or fragment"),
        ("https://host:6443/#", "must have no user, query or fragment"),
        ("https://u:secret@host", "must have no user, query or fragment"),
        (" https://host", "has characters that a URL cannot have"),
        ("https://host ", "has characters that a URL cannot have"),
        ("https://host:port", "is not a URL: "),
        ("http://host", "must be an https:// URL"),
    ],
)
def test_a_server_that_the_config_cannot_hold_is_refused_at_once(server: str, fault: str) -> None:
    machine = Machine()
    with pytest.raises(KubeconfigError) as caught:
        machine.enrol(FIRST, repinned(RESOLVED, server=server))
    assert caught.value.message.startswith(f"{RESOLVED.cluster_file}: the server of context prod {fault}")
    assert caught.value.hint == "kubectl config set-cluster prod-cluster --server=https://HOST:PORT"
    assert "secret" not in caught.value.message
    assert PATH not in machine.files


def test_an_issuer_that_the_config_cannot_hold_is_refused() -> None:
    machine = Machine()
    with pytest.raises(ConfigError, match=r"nothing was written, as the config would not load: .*issuer"):
        machine.enrol(replace(FIRST, issuer="https://login.example.com/?"))
    assert PATH not in machine.files


def test_a_file_that_somebody_spoils_in_the_meantime_is_left_as_it_is() -> None:
    machine = Machine()
    machine.enrol(FIRST)
    (change,) = plan_enrolment(FIRST, LAB, machine.ports())[1]
    spoiled = machine.files[PATH].replace(b"kind: Config", b"kind: Other")
    with pytest.raises(ConfigError, match="the config would not load"):
        change.edit(spoiled)
