"""What goes wrong with a guarded server, and the ways out, each played through."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.provider.model import Raw
from tests.system.guarded.cluster import (
    BREAK_GLASS,
    ELEVATED,
    EVERYDAY,
    Guarded,
    kubectl,
    opened_guarded,
    replace_authentication,
    wait_for_guards,
)
from tests.system.guarded.policies import LADDER
from tests.system.guarded.roles import allow_everything
from tests.system.parts.kube_api import KubeAPI
from tests.system.parts.processes import wait_until

pytestmark = pytest.mark.system

POD = "/api/v1/namespaces/shop/pods/web-0?dryRun=All"
BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, no_orphans: None) -> Iterator[Guarded]:
    """Return a cluster of our own: these tests break it."""
    with opened_guarded(tmp_path_factory.mktemp("played"), LADDER) as opened:
        for group in ("dev", BREAK_GLASS):
            allow_everything(opened.api.admin, group)
        wait_for_guards(opened, "DELETE", POD, rule="hurts")
        yield opened


@pytest.fixture
def carol(guarded: Guarded) -> KubeAPI:
    """Return the API as the owner of a break-glass certificate sees it."""
    return guarded.api.as_owner(guarded.api.certificate("carol", BREAK_GLASS))


def is_as_before(guarded: Guarded) -> bool:
    elevated, everyday = guarded.elevated(), guarded.everyday()
    return (
        elevated.request("DELETE", POD).status_code == 200
        and everyday.request("GET", POD.partition("?")[0]).status_code == 200
        and "kubectl-stepup-hurts" in everyday.request("DELETE", POD).text
    )


def with_groups(expression: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        document = yaml.safe_load(text)
        document["jwt"][0]["claimMappings"]["groups"]["expression"] = expression
        return yaml.safe_dump(document)

    return change


BAD: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "no YAML": lambda _: "{[",
    "an unknown field": lambda text: text + "more: true\n",
    "another kind": lambda text: text.replace("kind: AuthenticationConfiguration", "kind: Pod"),
    "no CEL": with_groups("claims.groups +"),
    "CEL that does not compile": with_groups("claims.groups.filter(g, g != 'x')"),
}


@pytest.mark.parametrize("fault", list(BAD))
def test_a_bad_authentication_configuration_changes_nothing(guarded: Guarded, fault: str) -> None:
    good, logged = guarded.api.authentication.read_text(), len(guarded.api.server.log.read_text())

    assert replace_authentication(guarded, BAD[fault](good)) == "failure"
    assert is_as_before(guarded)
    assert "failed to" in guarded.api.server.log.read_text()[logged:]
    assert replace_authentication(guarded, good) == "success"


def test_an_expression_that_fails_for_everybody_locks_out_all_but_certificates(
    guarded: Guarded, carol: KubeAPI
) -> None:
    """The server takes it: it looks at the type of a result when somebody signs in."""
    good = guarded.api.authentication.read_text()
    assert replace_authentication(guarded, with_groups("1 + 1")(good)) == "success"

    assert guarded.everyday().request("GET", "/version").status_code == 401
    assert guarded.elevated().request("GET", "/version").status_code == 401
    assert carol.request("DELETE", POD).status_code == 200
    assert guarded.api.admin.request("DELETE", POD).status_code == 200
    assert replace_authentication(guarded, good) == "success"
    assert is_as_before(guarded)


def test_the_provider_is_not_reached_and_comes_back(guarded: Guarded, carol: KubeAPI) -> None:
    """SRV-08: with a new key, so that the server needs the provider at once."""
    # After a change of its configuration the server asks for the keys anew when somebody comes.
    wait_until(lambda: is_as_before(guarded), "known keys", within_s=60)
    answer = guarded.provider.answer
    answer.published = ("rotated",)
    answer.faults["jwks"] = [Raw(reset=True)] * 1000

    # Who holds a token signed by a key that the server knows is not disturbed; a new sign-in is nobody.
    assert is_as_before(guarded)
    for api in (guarded.everyday(key="rotated"), guarded.elevated(key="rotated")):
        assert api.request("GET", POD.partition("?")[0]).status_code == 401
    # The way in that needs no provider.
    assert carol.request("DELETE", POD).status_code == 200
    assert guarded.api.admin.request("DELETE", POD).status_code == 200

    answer.faults["jwks"] = []
    elevated = guarded.elevated(key="rotated")
    wait_until(lambda: elevated.request("DELETE", POD).status_code == 200, "the provider's new key", within_s=60)
    assert guarded.everyday(key="rotated").request("DELETE", POD).status_code == 403
    answer.published = ("main", "rotated")
    wait_until(lambda: is_as_before(guarded), "the old key as well", within_s=60)


@pytest.mark.parametrize("way", ["a break-glass certificate", "the control plane"])
def test_the_guards_are_taken_away_and_put_back(guarded: Guarded, carol: KubeAPI, way: str, tmp_path: Path) -> None:
    key = guarded.api.certificate("carol", BREAK_GLASS) if way.startswith("a ") else guarded.api.admin_certificate
    user = {"client-certificate": str(key[0]), "client-key": str(key[1])}
    removed = kubectl(guarded.api, tmp_path, "delete", "validatingadmissionpolicybinding", *names(guarded), user=user)
    assert removed.returncode == 0, removed.stderr
    everyday = guarded.everyday()
    wait_until(lambda: everyday.request("DELETE", POD).status_code == 200, "the end of the guards", within_s=60)

    assert guarded.kubectl("apply", "-k", "server").returncode == 0
    wait_for_guards(guarded, "DELETE", POD, rule="hurts")


def names(guarded: Guarded) -> list[str]:
    return [
        one["metadata"]["name"]
        for one in guarded.api.admin.get(BINDINGS)["items"]
        if one["metadata"]["name"].startswith("kubectl-stepup-")
    ]


def test_applying_twice_changes_nothing(guarded: Guarded) -> None:
    again = guarded.kubectl("apply", "-k", "server")
    lines = again.stdout.splitlines()

    assert (again.returncode, again.stderr) == (0, "")
    assert len(lines) == len(objects(guarded))
    assert [line for line in lines if not line.endswith(" unchanged")] == []
    assert guarded.kubectl("diff", "-k", "server").returncode == 0


def objects(guarded: Guarded) -> list[dict[str, Any]]:
    files = yaml.safe_load((guarded.bundle / "kustomization.yaml").read_text())["resources"]
    return [one for file in files for one in yaml.safe_load_all((guarded.bundle / file).read_text()) if one]


def test_kustomize_takes_it_as_it_is(guarded: Guarded) -> None:
    built = guarded.kubectl("kustomize", "server")

    def key(one: dict[str, Any]) -> str:
        return f"{one['kind']} {one['metadata']['name']}"

    assert (built.returncode, built.stderr) == (0, "")
    made = sorted(yaml.safe_load_all(built.stdout), key=key)
    assert made == sorted(objects(guarded), key=key)


def test_back_and_forth_in_the_printed_order(guarded: Guarded) -> None:
    said = guarded.compiled.stderr
    forth, back = said[said.index("To put it in force:") :].split("To take it back:")
    everyday = guarded.everyday()
    for words in commands(back):
        done = guarded.kubectl(*words)
        assert done.returncode == 0, done.stderr
    wait_until(lambda: everyday.request("DELETE", POD).status_code == 200, "the end of the guards", within_s=60)
    assert names(guarded) == []
    assert guarded.everyday(groups=[]).request("GET", PUBLISHED).status_code == 403
    ours = guarded.api.authentication.read_text()
    assert replace_authentication(guarded, plain(guarded)) == "success"
    assert guarded.elevated().request("GET", "/version").status_code == 401
    assert guarded.everyday().request("GET", POD.partition("?")[0]).status_code == 200

    assert replace_authentication(guarded, ours) == "success"
    for words in commands(forth):
        done = guarded.kubectl(*words)
        assert done.returncode == 0, done.stderr
    wait_for_guards(guarded, "DELETE", POD, rule="hurts")
    assert guarded.everyday(groups=[]).request("GET", PUBLISHED).status_code == 200


PUBLISHED = "/api/v1/namespaces/kube-public/configmaps/kubectl-stepup-policy"


def commands(steps: str) -> list[list[str]]:
    """Return the words after `kubectl` of the steps that are kubectl's own commands."""
    found = re.findall(r"^ +\d+\. kubectl (?!stepup )(.*?)(?: {4}\(.*)?$", steps, re.MULTILINE)
    assert found
    return [shlex.split(words) for words in found]


def plain(guarded: Guarded) -> str:
    """Return the AuthenticationConfiguration that a cluster has before anybody steps up."""
    document = yaml.safe_load(guarded.api.authentication.read_text())
    issuer = document["jwt"][0]["issuer"]
    issuer["audiences"] = [audience for audience in issuer["audiences"] if audience != ELEVATED]
    del issuer["audienceMatchPolicy"]
    assert issuer["audiences"] == [EVERYDAY]
    names = {"username": {"claim": "sub", "prefix": ""}, "groups": {"claim": "groups", "prefix": ""}}
    document["jwt"] = [{"issuer": issuer, "claimMappings": names}]
    return yaml.safe_dump(document)
