"""How kubectl gets the credential of a context's user, against how `setup` gets it; for every kubectl at hand.

The plugin writes down what it was given, and the API server what came.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_exec_info_of_kubectl import KUBECTLS
from tests.support.api_server import APIServer, api_server
from tests.support.certificates import CA_A
from tests.support.warm_start import CODE, is_ours, warm_start

pytestmark = pytest.mark.skipif(not KUBECTLS, reason="there is no kubectl")

GROUP = "client.authentication.k8s.io"
OURS = """\
import os, sys
from kubectl_stepup.errors import StepUpError
from kubectl_stepup.kubeconfig import load as kubeconfig
from kubectl_stepup.kubeconfig.everyday_token import everyday_token
environ = dict(os.environ)
try:
    resolved = kubeconfig.load(environ, None).resolve(None)
    token = everyday_token(resolved, environ=environ)
    print("none" if token is None else "Bearer " + token.reveal())
except StepUpError as error:
    print("error: " + error.message + " | " + str(error.hint))
"""
RECORDER = f"""\
#!{sys.executable} -ISE
import json, os, stat, sys
mode = os.fstat(0)
kind = "terminal" if os.isatty(0) else "null" if os.path.samestat(mode, os.stat(os.devnull)) else "other"
ours = {{name: value for name, value in os.environ.items() if name not in ("LC_CTYPE",)}}
with open(__file__ + ".calls", "a") as calls:
    calls.write(json.dumps([sys.argv, ours, kind]) + "\\n")
sys.stdout.write(open(__file__ + ".answer").read())
sys.exit(int(open(__file__ + ".code").read()))
"""


@contextlib.contextmanager
def opened_input(kind: str) -> Iterator[int]:
    """Open a standard input: a terminal, an empty pipe, or the null device."""
    if kind == "terminal":
        other, given = os.openpty()
    elif kind == "pipe":
        given, other = os.pipe()
        os.close(other)
        other = os.dup(given)
    else:
        given = os.open(os.devnull, os.O_RDONLY)
        other = os.dup(given)
    try:
        yield given
    finally:
        os.close(given)
        os.close(other)


@dataclass(frozen=True, kw_only=True)
class Home:
    """A home with a plugin in it, and one context."""

    directory: Path
    api: APIServer

    @property
    def plugin(self) -> Path:
        return self.directory / "kube/bin/plugin"

    def write(self, user: object, cluster: Mapping[str, Any] | None = None) -> None:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [
                {"name": "c", "cluster": {"server": self.api.url, "certificate-authority": "ca.pem", **(cluster or {})}}
            ],
            "users": [{"name": "u", "user": user}],
        }
        (self.directory / "kube/config").write_text(json.dumps(config))

    def answers(self, text: str, code: int = 0) -> None:
        Path(f"{self.plugin}.answer").write_text(text)
        Path(f"{self.plugin}.code").write_text(str(code))

    def run(self, words: list[str], stdin: str) -> str:
        environ = {
            "HOME": str(self.directory),
            "KUBECONFIG": str(self.directory / "kube/config"),
            "PATH": f"{self.plugin.parent}:{os.defpath}",
            "AWS_PROFILE": "of the caller",
        }
        with opened_input(stdin) as given:
            if is_ours(words):
                done = warm_start().run(words, environ, stdin=given, directory=self.directory)
            else:
                done = subprocess.run(
                    words, cwd=self.directory, env=environ, stdin=given, capture_output=True, timeout=120, check=False
                )
        assert b"Traceback" not in done.stderr, done.stderr
        return done.stdout.decode().strip()

    def calls(self) -> list[list[Any]]:
        path = Path(f"{self.plugin}.calls")
        found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        path.unlink(missing_ok=True)
        return found[:1]

    def by_kubectl(self, kubectl: str, stdin: str) -> tuple[list[list[Any]], str | None]:
        """Return how the plugin was called, and the credential that came."""
        self.api.seen.clear()
        self.run([kubectl, "get", "--raw", "/version"], stdin)
        sent = self.api.credentials("GET", "/version")
        return self.calls(), next(iter(sent)) if sent else "nothing"

    def by_us(self, stdin: str) -> tuple[list[list[Any]], str]:
        said = self.run([*CODE, OURS], stdin)
        return self.calls(), said


@pytest.fixture(scope="module")
def api() -> Iterator[APIServer]:
    with api_server() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, api: APIServer) -> Home:
    (tmp_path / "kube/bin").mkdir(parents=True)
    (tmp_path / "kube/ca.pem").write_text(api.ca_pem)
    found = Home(directory=tmp_path, api=api)
    found.plugin.write_text(RECORDER)
    found.plugin.chmod(0o755)
    found.answers(answer(token="from-the-plugin"))
    return found


def answer(version: str = "v1", **status: object) -> str:
    return json.dumps({"apiVersion": f"{GROUP}/{version}", "kind": "ExecCredential", "status": status})


def entry(version: str = "v1", **fields: object) -> dict[str, Any]:
    """Return an exec entry; a field that is None here is left out, `...` is null."""
    base = {"apiVersion": f"{GROUP}/{version}", "command": "plugin", "interactiveMode": "IfAvailable"}
    merged = {**base, **fields}
    return {name: None if value is ... else value for name, value in merged.items() if value is not None}


SAME_CALLS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": (entry(), {}),
    "words": (entry(args=["a", "", "--b=c d", "é"]), {}),
    "a null word": (entry(args=["a", None]), {}),
    "null lists": (entry(args=..., env=...), {}),
    "a variable": (entry(env=[{"name": "AWS_PROFILE", "value": "mine"}]), {}),
    "a variable without a value": (entry(env=[{"name": "AWS_PROFILE"}]), {}),
    "a variable with null": (entry(env=[{"name": "AWS_PROFILE", "value": None}]), {}),
    "a variable twice": (entry(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]), {}),
    "a name with =": (entry(env=[{"name": "A=B", "value": "c"}]), {}),
    "another PATH": (entry(env=[{"name": "PATH", "value": "/nowhere:/usr/bin:/bin"}]), {}),
    "the plugin's own variable": (entry(env=[{"name": "KUBERNETES_EXEC_INFO", "value": "x"}]), {}),
    "relative to the file": (entry(command="bin/plugin"), {}),
    "relative with dots": (entry(command="./bin/../bin//plugin"), {}),
    "the cluster": (entry(provideClusterInfo=True), {}),
    "no cluster": (entry(provideClusterInfo=False), {}),
    "null flag": (entry(provideClusterInfo=...), {}),
    "v1beta1": (entry("v1beta1", provideClusterInfo=True), {}),
    "v1beta1 without a mode": (entry("v1beta1", interactiveMode=None), {}),
    "the whole cluster": (
        entry(provideClusterInfo=True),
        {
            "tls-server-name": "localhost",
            "disable-compression": True,
            "extensions": [
                {"name": "client.authentication.k8s.io/exec", "extension": {"b": 1, "a": ["<é>", None]}},
                {"name": "other", "extension": {"x": 1}},
            ],
        },
    ),
    "a proxy": (entry(provideClusterInfo=True), {"proxy-url": "http://127.0.0.1:9"}),
    "never": (entry(interactiveMode="Never"), {}),
    "always": (entry(interactiveMode="Always"), {}),
    "install hint": (entry(installHint="brew install it"), {}),
    "unknown fields": (entry(more={"a": 1}), {}),
}
REFUSED = {
    "no command": entry(command=None),
    "null command": entry(command=...),
    "no version": entry(apiVersion=None),
    "v1alpha1": entry("v1alpha1"),
    "another version": entry("v2"),
    "another group": {**entry(), "apiVersion": "example.com/v1"},
    "no mode": entry(interactiveMode=None),
    "another mode": entry(interactiveMode="Sometimes"),
    "mode in lower case": entry(interactiveMode="never"),
    "a variable without a name": entry(env=[{"value": "x"}]),
    "a null variable": entry(env=[None]),
    "a variable that is a text": entry(env=["A=B"]),
    "variables as a mapping": entry(env={"A": "B"}),
    "a number as a value": entry(env=[{"name": "A", "value": 1}]),
    "words as a text": entry(args="a b"),
    "a number as a word": entry(args=[1]),
    "a text as a flag": entry(provideClusterInfo="true"),
    "a list as a command": entry(command=["plugin"]),
    "not there": entry(command="/nowhere/plugin", installHint="brew install it"),
    "not on PATH": entry(command="no-such-plugin"),
    "an empty entry": {},
    "a text": "plugin",
}
ANSWERS = {
    "a token": answer(token="t1"),
    "a token and an unknown field": answer(token="t1", more=1),
    "YAML": f"apiVersion: {GROUP}/v1\nkind: ExecCredential\nstatus:\n  token: t1\n",
    "another version": answer("v1beta1", token="t1"),
    "no version": json.dumps({"kind": "ExecCredential", "status": {"token": "t1"}}),
    "no kind": json.dumps({"apiVersion": f"{GROUP}/v1", "status": {"token": "t1"}}),
    "another kind": json.dumps({"apiVersion": f"{GROUP}/v1", "kind": "Pod", "status": {"token": "t1"}}),
    "no status": json.dumps({"apiVersion": f"{GROUP}/v1", "kind": "ExecCredential"}),
    "nothing in it": answer(),
    "an empty token": answer(token=""),
    "a number": answer(token=5),
    "a certificate without a key": answer(token="t1", clientCertificateData=CA_A),
    "no JSON": "Logged in!\n",
    "nothing": "",
    "a list": "[]",
    "deep": "[" * 20_000,
}


@pytest.mark.parametrize(
    ("case", "stdin"),
    [
        *((case, "null") for case in SAME_CALLS),
        *(
            (case, "terminal")
            for case in ("plain", "always", "never", "the cluster", "v1beta1", "v1beta1 without a mode")
        ),
        *((case, "pipe") for case in ("plain", "always", "never")),
    ],
)
@pytest.mark.parametrize("kubectl", KUBECTLS)
def test_the_plugin_is_called_as_kubectl_calls_it(kubectl: str, case: str, stdin: str, home: Home) -> None:
    exec_entry, cluster = SAME_CALLS[case]
    home.answers(answer(exec_entry["apiVersion"].rpartition("/")[2], token="from-the-plugin"))
    home.write({"exec": exec_entry}, cluster)
    expected, _ = home.by_kubectl(kubectl, stdin)
    seen, said = home.by_us(stdin)
    assert seen == expected
    assert (said == "Bearer from-the-plugin") is bool(expected), said
    assert bool(expected) is (case != "always" or stdin == "terminal")


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("kubectl", KUBECTLS)
def test_what_kubectl_does_not_run_is_an_error(kubectl: str, case: str, home: Home) -> None:
    home.write({"exec": REFUSED[case]})
    assert home.by_kubectl(kubectl, "null") == ([], "nothing")
    seen, said = home.by_us("null")
    assert (seen, said[:7]) == ([], "error: ")
    # A wrong type anywhere makes kubectl, and us, refuse the whole file.
    assert said.endswith(
        "| kubectl config view" if ": must be " in said else "--account VALUE" + ")" * ("brew" in said)
    )
    assert ("brew install it" in said) is ("installHint" in REFUSED[case])


@pytest.mark.parametrize("case", ANSWERS)
@pytest.mark.parametrize("kubectl", KUBECTLS)
def test_an_answer_counts_where_it_counts_for_kubectl(kubectl: str, case: str, home: Home) -> None:
    home.answers(ANSWERS[case])
    home.write({"exec": entry()})
    _, sent = home.by_kubectl(kubectl, "null")
    _, said = home.by_us("null")
    assert said == sent or (sent == "nothing" and said.startswith("error: the everyday plugin plugin printed"))


def test_a_failing_plugin_is_an_error(home: Home) -> None:
    home.answers(answer(token="t1"), code=3)
    home.write({"exec": entry()})
    _, said = home.by_us("null")
    assert said.startswith("error: the everyday plugin plugin ended with exit code 3 | ")


def test_a_certificate_of_a_plugin_is_named(home: Home) -> None:
    home.answers(answer(clientCertificateData="x", clientKeyData="secret-key"))
    home.write({"exec": entry()})
    _, said = home.by_us("null")
    assert said == (
        "error: the everyday plugin plugin gives a client certificate and no token, which would prove the account"
        " | kubectl stepup setup --account VALUE"
    )


OIDC = {"name": "oidc", "config": {"id-token": "of-the-provider", "idp-issuer-url": "https://a", "client-id": "c"}}
USERS: dict[str, dict[str, Any]] = {
    "a token": {"token": "t1"},
    "a token before a plugin": {"token": "t1", "exec": entry()},
    "a token file": {"tokenFile": "token"},
    "a token file before a token": {"tokenFile": "token", "token": "t1"},
    "a token beside a file that is gone": {"tokenFile": "gone", "token": "t1"},
    "a token beside an empty file": {"tokenFile": "empty", "token": "t1"},
    "a token file before a plugin": {"tokenFile": "token", "exec": entry()},
    "an absolute token file": {"tokenFile": "/nowhere"},
    "a token file above a link": {"tokenFile": "link/../token"},
    "an empty file": {"tokenFile": "empty"},
    "an empty token": {"token": "", "exec": entry()},
    "null": {"token": None, "tokenFile": None, "exec": entry()},
    "a plugin": {"exec": entry()},
    "a password before a plugin": {"username": "u", "password": "p", "exec": entry()},
}


@pytest.mark.parametrize("case", USERS)
@pytest.mark.parametrize("kubectl", KUBECTLS)
def test_the_credential_is_the_one_that_kubectl_presents(kubectl: str, case: str, home: Home) -> None:
    (home.directory / "kube/token").write_text("from-the-file\n")
    (home.directory / "kube/empty").write_text("\n")
    (home.directory / "far/off").mkdir(parents=True)
    (home.directory / "far/token").write_text("from-elsewhere\n")
    (home.directory / "kube/link").symlink_to(home.directory / "far/off")
    home.write(USERS[case])
    calls, sent = home.by_kubectl(kubectl, "null")
    seen, said = home.by_us("null")
    assert seen == calls
    if sent == "nothing":
        assert said.startswith("error: ")
    else:
        assert said == (sent if sent is not None and sent.startswith("Bearer ") else "none")


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ({}, "none"),
        ({"auth-provider": OIDC}, "Bearer of-the-provider"),
        ({"auth-provider": {**OIDC, "name": "gcp"}}, "none"),
        ({"auth-provider": {"name": "oidc", "config": {}}}, "none"),
        ({"auth-provider": {"name": "oidc", "config": None}}, "none"),
        ({"client-certificate-data": "eA==", "client-key-data": "eA==", "exec": entry()}, "none"),
    ],
)
def test_users_of_other_kinds(home: Home, user: object, said: str) -> None:
    home.write(user)
    assert home.by_us("null") == ([], said)
