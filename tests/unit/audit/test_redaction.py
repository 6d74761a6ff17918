from __future__ import annotations

import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_stepup.audit.redaction import ARGUMENT_LIMIT, COMMAND_LIMIT, redacted, text

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("delete pod web-0 -n prod", "delete pod web-0 -n prod"),
        ("get secret db-token -o yaml", "get secret db-token -o yaml"),
        ("logs -p web-0", "logs -p web-0"),
        ("get pods --token=hunter2", "get pods --token=[redacted]"),
        ("get pods --token hunter2 -A", "get pods --token [redacted] -A"),
        ("get pods --password -hunter2", "get pods --password [redacted]"),
        ("get pods --client-key=/home/a/hunter2.pem", "get pods --client-key=[redacted]"),
        (
            "create secret docker-registry r --docker_password=hunter2",
            "create secret docker-registry r --docker_password=[redacted]",
        ),
        ("create secret generic s --from-literal=db=hunter2", "create secret generic s --from-literal=db=[redacted]"),
        ("create secret generic s --from-literal db=hunter2", "create secret generic s --from-literal db=[redacted]"),
        ("create secret generic s --from-literal=hunter2", "create secret generic s --from-literal=[redacted]"),
        ("create secret generic s --from-file=tls.key", "create secret generic s --from-file=tls.key"),
        ("set env deploy/x DB_PASSWORD=hunter2 LOG=info", "set env deploy/x DB_PASSWORD=[redacted] LOG=info"),
        (
            "set env deploy/x NODE_AUTH_TOKEN=hunter2 NO_TOKEN=x",
            "set env deploy/x NODE_AUTH_TOKEN=[redacted] NO_TOKEN=x",
        ),
        ("set env deploy/x RAILS_MASTER_KEY=hunter2", "set env deploy/x RAILS_MASTER_KEY=[redacted]"),
        ("set env deploy/x DB=postgres://u:hun@ter2@h/db", "set env deploy/x DB=postgres://[redacted]@h/db"),
        ("-n prod exec web-0 mysql -phunter2", "-n prod exec web-0 mysql '-p[redacted]'"),
        ("exec web-0 -- curl 'https://a/b?sv=1&sig=hunter2'", "exec web-0 -- curl 'https://a/b?sv=1&sig=[redacted]'"),
        (
            "exec web-0 -- curl 'https://a/b?X-Amz-Signature=hunter2'",
            "exec web-0 -- curl 'https://a/b?X-Amz-Signature=[redacted]'",
        ),
        ("run x --image=y --env=API_KEY=hunter2", "run x --image=y --env=API_KEY=[redacted]"),
        ("config set users.admin.token hunter2", "config set users.admin.token [redacted]"),
        (
            "config set-credentials a --auth-provider-arg=client-secret=hunter2 --exec-arg=--token=hunter2",
            "config set-credentials a --auth-provider-arg=client-secret=[redacted] --exec-arg=--token=[redacted]",
        ),
        (
            "exec web-0 -- mysql -phunter2 --password=hunter2 db",
            "exec web-0 -- mysql '-p[redacted]' --password=[redacted] db",
        ),
        ("exec web-0 -- vault login --secret-id hunter2", "exec web-0 -- vault login --secret-id [redacted]"),
        ("exec web-0 -- curl -u bob:hunter2 host", "exec web-0 -- curl -u bob:[redacted] host"),
        ("exec web-0 -- curl -ubob:hunter2 host", "exec web-0 -- curl -ubob:[redacted] host"),
        ("exec web-0 -- curl --proxy-user bob:hunter2 host", "exec web-0 -- curl --proxy-user bob:[redacted] host"),
        ("exec web-0 -- curl --user=bob:hunter2 host", "exec web-0 -- curl --user=bob:[redacted] host"),
        ("exec web-0 -- mysql -u root db", "exec web-0 -- mysql -u root db"),
        ("exec web-0 -- redis-cli -a hunter2 get x", "exec web-0 -- redis-cli -a [redacted] get x"),
        ("exec web-0 -- ls -a x", "exec web-0 -- ls -a x"),
        ("exec web-0 -- env PGPASS=hunter2 psql", "exec web-0 -- env PGPASS=[redacted] psql"),
        ("exec web-0 -- env REDISCLI_AUTH=hunter2 x", "exec web-0 -- env REDISCLI_AUTH=[redacted] x"),
        ("run x --image=y --env=DB_PASS=hunter2", "run x --image=y --env=DB_PASS=[redacted]"),
        ("set env deploy/x BYPASS=1 COMPASS_X=2", "set env deploy/x BYPASS=1 COMPASS_X=2"),
        ("apply -f x --note={stringData:{db:hunter2}}", "apply -f x --note=[redacted]"),
        ("get pod -o jsonpath={.items[0:2].name}", "get pod -o jsonpath={.items[0:2].name}"),
        ("get pod -o go-template={{.kind}}:{{.x}}", "get pod -o go-template={{.kind}}:{{.x}}"),
        (
            "exec web-0 -- curl -H 'Authorization: Bearer hunter2.x'",
            "exec web-0 -- curl -H 'Authorization: Bearer [redacted]'",
        ),
        ("exec web-0 -- curl https://bob:hunter2@host/x", "exec web-0 -- curl https://[redacted]@host/x"),
        ("get --raw '/x?access_token=hunter2&watch=1'", "get --raw '/x?access_token=[redacted]&watch=1'"),
        (f"annotate pod x note={JWT}", "annotate pod x note=[redacted]"),
        ("logs x --allow-missing-template-keys pod", "logs x --allow-missing-template-keys pod"),
        (
            "create secret tls s --cert=a.pem --key=b.pem --token-file=t",
            "create secret tls s --cert=a.pem --key=b.pem --token-file=t",
        ),
    ],
)
def test_secrets_leave_the_command_line(command: str, shown: str) -> None:
    argv = tuple(item.replace("'", "") for item in shlex.split(shown))
    assert redacted(shlex.split(command)) == argv


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"spec": {"replicas": 0}}', '{"spec": {"replicas": 0}}'),
        ('{"password": "hunter2"}', '{"password":"[redacted]"}'),
        ('{"stringData": {"db": "hunter2", "n": 1}}', '{"stringData":{"db":"[redacted]","n":"[redacted]"}}'),
        (
            '{"spec":{"apiToken":{"deep":["hunter2", true, null]}}}',
            '{"spec":{"apiToken":{"deep":["[redacted]",true,null]}}}',
        ),
        (
            '[{"op":"replace","path":"/data/db","value":"hunter2"}]',
            '[{"op":"replace","path":"/data/db","value":"[redacted]"}]',
        ),
        ('{"env":[{"name":"DB_PASSWORD","value":"hunter2"}]}', '{"env":[{"name":"DB_PASSWORD","value":"[redacted]"}]}'),
        ('{"env":[{"name":"LOG","value":"info"}]}', '{"env":[{"name":"LOG","value":"info"}]}'),
        (
            '{"secretKeyRef":{"name":"db","key":"pw"},"secretName":"db"}',
            '{"secretKeyRef":{"name":"db","key":"pw"},"secretName":"db"}',
        ),
        ('{"automountServiceAccountToken":false}', '{"automountServiceAccountToken":false}'),
        ('{"data":{"a":"hunter2"},"data":null}', "[redacted]"),
        ("password: hunter2", "[redacted]"),
        ("{password: hunter2}", "[redacted]"),
        ("{stringData: {a: hunter2}}", "[redacted]"),
        ("stringData: {a: hunter2}", "[redacted]"),
        ("spec: {replicas: 0}", "[redacted]"),
        ("!!binary cGFzc3dvcmQ=: hunter2", "[redacted]"),
        ('"password: hunter2"', "[redacted]"),
        ("[" * 100_000, "[redacted]"),
    ],
)
@pytest.mark.parametrize("flag", [("-p", ""), ("--patch", ""), ("--patch=",), ("-p",)])
def test_secrets_leave_a_patch(body: str, shown: str, flag: tuple[str, ...]) -> None:
    if len(flag) == 2:
        assert redacted(["patch", "x", flag[0], body]) == ("patch", "x", flag[0], shown)
    else:
        assert redacted(["patch", "x", flag[0] + body]) == ("patch", "x", flag[0] + shown)


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        ("export PGPASS=hunter2; psql", "export PGPASS=[redacted]; psql"),
        ("DB_PASSWORD='hunter2 x' LOG=info run", "DB_PASSWORD=[redacted]"),
        ("echo; DB_PASSWORD='hunter2 x' LOG=info run", "echo; DB_PASSWORD=[redacted] LOG=info run"),
        ("curl -u bob:hunter2 host", "curl -u bob:[redacted] host"),
        ("redis-cli -a hunter2 get x", "redis-cli -a [redacted] get x"),
        ("ls -a x", "ls -a x"),
    ],
)
def test_secrets_leave_a_script(script: str, shown: str) -> None:
    once = redacted(["exec", "web-0", "--", "sh", "-c", script])
    assert once[-1] == shown
    assert redacted(once) == once


def test_a_patch_that_is_capped_or_loses_its_end_stays_as_it_is() -> None:
    long = json.dumps({"items": ["x" * 90] * 30})
    key = json.dumps({"note": "-----BEGIN PRIVATE KEY----- hunter2"})
    once = redacted(["patch", "x", "-p", long, "--overrides", key, "--patch", ""])
    assert once[3].startswith('{"items": ["xxx')
    assert once[4:] == ("--overrides", "[redacted]", "--patch", "")
    assert redacted(once) == once


@pytest.mark.parametrize("flag", ["--overrides", "--patch"])
def test_a_body_that_is_not_json_goes_as_a_whole(flag: str) -> None:
    body = "spec: {stringData: {a: hunter2}}"
    assert redacted(["run", "x", flag, body])[-1] == "[redacted]"
    assert redacted(["run", "x", f"{flag}={body}"])[-1] == f"{flag}=[redacted]"


def test_overrides_are_read_like_a_patch() -> None:
    overrides = json.dumps({"spec": {"token": "hunter2"}})
    assert redacted(["run", "x", f"--overrides={overrides}"])[2] == '--overrides={"spec":{"token":"[redacted]"}}'


def test_an_argument_is_capped() -> None:
    (kept,) = redacted(["x" * 1_000_000])
    assert len(kept) <= ARGUMENT_LIMIT
    assert kept.endswith("xxx...[+998989]")


def test_the_whole_is_capped() -> None:
    kept = redacted(["x" * 100] * 10_000)
    assert sum(map(len, kept)) <= COMMAND_LIMIT + 30
    assert kept[-1] == f"...[+{10_000 - (len(kept) - 1)} arguments]"


def test_free_text_loses_what_looks_like_a_secret() -> None:
    assert text(f"rotating {JWT} for bob") == "rotating [redacted] for bob"


@given(
    st.lists(
        st.one_of(st.text(max_size=30), st.sampled_from(["--token", "-p", "patch", "--", "--from-literal", "a=b"]))
    )
)
def test_twice_is_once(argv: list[str]) -> None:
    once = redacted(argv)
    assert redacted(once) == once


@given(
    st.sampled_from(["--token", "--password", "--docker-password", "--client-key"]), st.text(max_size=50), st.booleans()
)
def test_no_value_of_a_secret_flag_survives(flag: str, value: str, joined: bool) -> None:
    argv = [f"{flag}=hunter2{value}"] if joined else [flag, f"hunter2{value}"]
    assert "hunter2" not in " ".join(redacted(["get", "pods", *argv]))


def test_a_capped_command_stays_as_it_is() -> None:
    once = redacted(["x" * 1000, "y" * 90] * 100)
    assert redacted(once) == once


@pytest.mark.parametrize(
    "hostile",
    ["-eyJ" * 250_000, "a=" * 500_000, "--a=" * 250_000, "?token" * 150_000, "://" + ":" * 900_000, "basic " * 150_000],
    ids=lambda text: text[:6],
)
@pytest.mark.timeout(20)
def test_a_megabyte_of_anything_takes_linear_time(hostile: str) -> None:
    assert redacted(["users." + hostile, hostile])[-1].startswith(hostile[:3])
