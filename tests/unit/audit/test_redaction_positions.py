"""A secret at any of these places of a command line is shown nowhere, whatever it looks like."""

from __future__ import annotations

import json
import shlex
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_stepup.audit.redaction import redacted

KUBECTL = [
    ["get", "pods", "--token=S"],
    ["get", "pods", "--token", "S"],
    ["get", "pods", "--password=S"],
    ["get", "--raw", "/api?access_token=S"],
    ["create", "secret", "generic", "x", "--from-literal=a=S"],
    ["create", "secret", "generic", "x", "--from-literal", "a=S"],
    ["create", "configmap", "x", "--from-literal=a=S"],
    ["create", "secret", "docker-registry", "x", "--docker-password=S"],
    ["create", "secret", "docker-registry", "x", "--docker-password", "S"],
    ["set", "env", "deploy/x", "FOO_TOKEN=S"],
    ["set", "env", "deploy/x", "-e", "FOO=S"],
    ["set", "env", "deploy/x", "--env=FOO=S"],
    ["set", "env", "deploy/x", "DATABASE_URL=postgres://u:S@h/db"],
    ["set", "env", "deploy/x", "CLONE=https://S@h/repo.git"],
    ["run", "x", "--image=i", "--env=FOO=S"],
    ["run", "x", "--image=i", "--env", "FOO=S"],
    ["run", "x", "--image=i", '--overrides={"spec":{"env":[{"name":"A_TOKEN","value":"S"}]}}'],
    ["debug", "x", "--image=i", "--env", "FOO=S"],
    ["config", "set-credentials", "x", "--exec-env=A=S"],
    ["config", "set", "users.a.token", "S"],
    ["patch", "secret", "x", "-p", '{"stringData":{"a":"S"}}'],
    ["patch", "secret", "x", '--patch={"data":{"a":"S"}}'],
    ["patch", "secret", "x", "-p", "stringData: {a: S}"],
    ["patch", "secret", "x", "--type=json", "-p", '[{"op":"add","path":"/stringData/a","value":"S"}]'],
    ["annotate", "pod", "x", "note=Authorization: Bearer S"],
    ["exec", "db-0", "mysql", "-p", "S"],
    ["exec", "db-0", "mysql", "-pS"],
    ["exec", "web-0", "curl", "-H", "X-Api-Key: S"],
]
PROGRAMS = [
    ["mongosh", "-u", "admin", "-p", "S"],
    ["mongosh", "-u", "admin", "--password", "S"],
    ["mysql", "-u", "root", "-p", "S"],
    ["mysql", "-u", "root", "-pS"],
    ["mysql", "--password=S"],
    ["sudo", "mysql", "-p", "S"],
    ["sshpass", "-p", "S", "ssh", "-p", "22", "x"],
    ["env", "FOO_TOKEN=S", "x"],
    ["env", "PGPASSWORD=S", "psql"],
    ["curl", "-H", "X-Api-Key: S", "https://x"],
    ["curl", "-H", "X-Api-Key:S", "https://x"],
    ["curl", "-HX-Api-Key: S", "https://x"],
    ["curl", "--header", "X-Vault-Token: S", "https://x"],
    ["curl", "--header=X-Vault-Token: S", "https://x"],
    ["curl", "-H", "PRIVATE-TOKEN: S", "https://x"],
    ["curl", "-H", "Authorization: token S", "https://x"],
    ["curl", "-H", "Authorization: S", "https://x"],
    ["curl", "-H", "Proxy-Authorization: Basic S", "https://x"],
    ["curl", "-H", "Cookie: session=S; other=S", "https://x"],
    ["curl", "-u", "bob:S", "https://x"],
    ["curl", "-ubob:S", "https://x"],
    ["curl", "-U", "bob:S", "https://x"],
    ["curl", "--user", "bob:S", "https://x"],
    ["curl", "--user=bob:S", "https://x"],
    ["curl", "https://u:S@h/"],
    ["curl", "https://S@h/"],
    ["curl", "https://h/?api_key=S"],
    ["wget", "--http-password", "S", "https://x"],
    ["ldapsearch", "-D", "cn=admin", "-w", "S"],
    ["redis-cli", "-a", "S", "get", "x"],
    ["openssl", "rsa", "-passin", "pass:S"],
    ["keytool", "-storepass", "S"],
    ["zip", "-P", "S", "x"],
    ["vault", "login", "--secret-id", "S"],
    ["rabbitmqctl", "change_password", "guest", "S"],
    ["htpasswd", "-b", "f", "admin", "S"],
    ["aws", "configure", "set", "aws_secret_access_key", "S"],
    ["psql", "-c", "ALTER USER x PASSWORD 'S'"],
    ["mysql", "-e", "CREATE USER x IDENTIFIED BY 'S'"],
]
SCRIPTS = [
    "echo S | passwd --stdin root",
    "printf '%s' S | docker login --password-stdin",
    "export A_TOKEN=S; x",
    'A_TOKEN="S" x',
]
LONGEST = 128 << 10
"""Bytes of one argument on Linux."""

TOKENS = ["ghp_", "github_pat_", "glpat-", "xoxb-", "sk_live_", "hvs.", "ya29.", "shpat_", "dckr_pat_", "sk-ant-"]
SECRETS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=6, max_size=12).map(
    "q9{}".format
)


def with_secret(words: list[str], secret: str) -> list[str]:
    return [word.replace("S", secret) if word in {"S", "-pS"} else _replaced(word, secret) for word in words]


def _replaced(word: str, secret: str) -> str:
    at = [index for index, letter in enumerate(word) if letter == "S" and not word[index - 1 : index].isalpha()]
    at = [index for index in at if not word[index + 1 : index + 2].isalpha()]
    return "".join(secret if index in at else letter for index, letter in enumerate(word))


def shown(words: list[str]) -> str:
    once = redacted(words)
    assert redacted(once) == once
    return json.dumps(once)


@pytest.mark.parametrize("words", KUBECTL, ids=" ".join)
@settings(max_examples=20)
@given(secret=SECRETS)
def test_kubectls_own_words(words: list[str], secret: str) -> None:
    line = with_secret(words, secret)
    assert secret in json.dumps(line)
    assert secret not in shown(line)


@pytest.mark.parametrize("words", PROGRAMS, ids=" ".join)
@settings(max_examples=20)
@given(secret=SECRETS)
def test_words_for_another_program(words: list[str], secret: str) -> None:
    program = with_secret(words, secret)
    assert secret in json.dumps(program)
    script = shlex.join(program)
    for line in (
        program,
        ["sh", "-c", script],
        ["bash", "-lc", f"cd /x && {script}; true"],
        ["ssh", "h", shlex.join(["sh", "-c", script])],
    ):
        assert secret not in shown(["exec", "-it", "web-0", "--", *line]), line


@pytest.mark.parametrize("script", SCRIPTS)
@settings(max_examples=20)
@given(secret=SECRETS)
def test_scripts(script: str, secret: str) -> None:
    line = _replaced(script, secret)
    assert secret in line
    assert secret not in shown(["exec", "web-0", "--", "sh", "-c", line])


@pytest.mark.parametrize("prefix", TOKENS)
@settings(max_examples=20)
@given(secret=SECRETS)
def test_what_a_known_issuer_made_goes_wherever_it_stands(prefix: str, secret: str) -> None:
    for line in (
        ["annotate", "pod", "x", f"note={prefix}{secret}"],
        ["exec", "x", "--", "vault", "login", prefix + secret],
    ):
        assert secret not in shown(line)


@pytest.mark.parametrize(
    "line",
    [
        "exec web-0 -- mkdir -p /data/x",
        "exec web-0 -- ssh -p 22 host",
        "exec web-0 -- ls -a /tmp",
        "exec web-0 -- sh -c 'echo hello | wc -l; cat /etc/hosts'",
        "exec web-0 -- curl -H 'Accept: application/json' https://x/y?watch=1",
        "exec web-0 -- sh -c 'curl -H \"Accept: x\" https://x'",
        "label pod x env=prod",
        "get pods -l env=prod",
        "set image deploy/x web=registry/auth:1.2",
        "delete pod sk-web-1 npm-x glue-1",
        "create rolebinding x --user=bob --clusterrole=view",
        "exec web-0 -- cat /run/secrets/token",
        "get secret db -o 'jsonpath={.data.token}'",
        'patch sa x -p \'{"automountServiceAccountToken":false,"allowTokens":true}\'',
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    words = shlex.split(line)
    assert redacted(words) == tuple(words)


@pytest.mark.parametrize(
    "piece",
    [
        '"',
        "'",
        "a'",
        '\\"',
        "-p ",
        "a: ",
        "echo x | ",
        "passwd ",
        "token: x ",
        "=",
        "(",
        "hvs.",
        "://",
        "passw",
        "secret-",
    ],
)
def test_the_longest_argument_of_anything_takes_no_time(piece: str) -> None:
    began = time.process_time()
    redacted(["exec", "web-0", "--", "sh", "-c", f"x {piece * (LONGEST // len(piece))}!"])
    assert time.process_time() - began < 10
