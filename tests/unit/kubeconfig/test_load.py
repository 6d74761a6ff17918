"""Reading and merging kubeconfig files as client-go does."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from kubectl_stepup.errors import KubeconfigError
from kubectl_stepup.kubeconfig.cluster_pin import ca_digest
from kubectl_stepup.kubeconfig.load import Kubeconfig, kubeconfig_files, load
from tests.support.certificates import CA_A, CA_B

CONFIG = """\
apiVersion: v1
kind: Config
current-context: prod
contexts:
- name: prod
  context: {cluster: prod-eu, user: alice, namespace: shop, extensions: [{name: x, extension: {a: 1}}]}
- name: bare
  context: {cluster: bare}
clusters:
- name: prod-eu
  cluster:
    server: https://api.prod.example.com
    certificate-authority-data: CA_DATA
    tls-server-name: api
    proxy-url: http://proxy.test:3128
    insecure-skip-tls-verify: false
- name: bare
  cluster: {server: "https://bare.test", insecure-skip-tls-verify: true}
users:
- name: alice
  user: {token: t-o-p-s-e-c-r-e-t, as: root}
""".replace("CA_DATA", base64.b64encode(CA_A.encode()).decode())


def read(tmp_path: Path, *texts: str, flag: str | None = None) -> Kubeconfig:
    paths = []
    for index, text in enumerate(texts):
        path = tmp_path / str(index) / "config"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        paths.append(str(path))
    return load({"KUBECONFIG": os.pathsep.join(paths)}, flag)


def test_a_context_is_resolved_with_everything_it_points_at(tmp_path: Path) -> None:
    found = read(tmp_path, CONFIG).resolve(None)
    file = str(tmp_path / "0" / "config")
    assert (found.context, found.cluster, found.user, found.namespace) == ("prod", "prod-eu", "alice", "shop")
    assert (found.server, found.pin.ca_sha256) == ("https://api.prod.example.com", ca_digest(CA_A.encode()))
    assert (found.pin.tls_server_name, found.pin.proxy_url, found.pin.insecure) == (
        "api",
        "http://proxy.test:3128",
        False,
    )
    assert (found.file, found.cluster_file, found.user_file) == (file, file, file)
    assert found.context_raw["extensions"] == [{"name": "x", "extension": {"a": 1}}]
    assert found.impersonates == ("as",)


def test_what_is_left_out_is_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, CONFIG).resolve("bare")
    assert (found.user, found.namespace, found.pin.ca_sha256, found.user_file) == ("", None, None, None)
    assert (found.pin.tls_server_name, found.pin.proxy_url, found.pin.insecure, dict(found.user_raw)) == (
        None,
        None,
        True,
        {},
    )


def test_no_secret_is_shown(tmp_path: Path) -> None:
    kubeconfig = read(tmp_path, CONFIG)
    assert "t-o-p-s-e-c-r-e-t" not in repr(kubeconfig) + repr(kubeconfig.resolve(None))


def test_the_first_file_with_a_name_wins_whole(tmp_path: Path) -> None:
    first = "contexts: [{name: prod, context: {cluster: prod-eu, user: other}}]\nusers: [{name: other, user: {}}]"
    found = read(tmp_path, "", first, CONFIG).resolve("prod")
    assert (found.user, found.namespace) == ("other", None)
    assert found.file == str(tmp_path / "1" / "config")
    assert found.cluster_file == str(tmp_path / "2" / "config")


def test_the_first_current_context_that_is_not_empty_wins(tmp_path: Path) -> None:
    kubeconfig = read(tmp_path, 'current-context: ""', "current-context: bare", CONFIG)
    assert kubeconfig.current_context == "bare"


def test_relative_paths_belong_to_their_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "ca.pem").write_text(CA_B)
    monkeypatch.chdir(tmp_path)
    cluster = "clusters: [{name: c, cluster: {server: 'https://c.test', certificate-authority: ca.pem}}]"
    context = "contexts: [{name: c, context: {cluster: c}}]\ncurrent-context: c"
    assert read(tmp_path, context, cluster).resolve(None).pin.ca_sha256 == ca_digest(CA_B.encode())


def test_ca_data_wins_over_a_ca_file(tmp_path: Path) -> None:
    text = CONFIG.replace("    tls-server-name", "    certificate-authority: /does/not/exist\n    tls-server-name")
    assert read(tmp_path, text).resolve(None).pin.ca_sha256 == ca_digest(CA_A.encode())


def test_missing_and_empty_names_are_skipped_and_repeats_dropped(tmp_path: Path) -> None:
    real = tmp_path / "config"
    real.write_text(CONFIG)
    listed = os.pathsep.join(["", "/does/not/exist", str(real), "", str(real)])
    kubeconfig = load({"KUBECONFIG": listed}, None)
    assert kubeconfig.files == ("/does/not/exist", str(real))
    assert kubeconfig.resolve(None).context == "prod"


def test_the_flag_stands_alone_and_its_file_must_exist(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text(CONFIG.replace("current-context: prod", "current-context: bare"))
    kubeconfig = read(tmp_path, CONFIG, flag=str(other))
    assert (kubeconfig.files, kubeconfig.current_context) == ((str(other),), "bare")
    with pytest.raises(KubeconfigError, match=r"^/does/not/exist: no such file$"):
        load({}, "/does/not/exist")


@pytest.mark.parametrize(
    ("environ", "platform", "files"),
    [
        ({"HOME": "/home/a"}, "linux", ("/home/a/.kube/config",)),
        ({"HOME": "/home/a", "KUBECONFIG": ""}, "linux", ("/home/a/.kube/config",)),
        ({}, "linux", ()),
        ({"HOME": ""}, "linux", ()),
        ({"HOME": "/home/a", "KUBECONFIG": "x:y"}, "darwin", ("x", "y")),
        ({"USERPROFILE": "/u", "KUBECONFIG": "C:\\x;D:\\y"}, "win32", ("C:\\x", "D:\\y")),
        ({"USERPROFILE": "/u"}, "win32", ("/u/.kube/config",)),
    ],
)
def test_where_kubeconfigs_are(environ: dict[str, str], platform: str, files: tuple[str, ...]) -> None:
    assert kubeconfig_files(environ, platform=platform) == files


@pytest.mark.parametrize(
    ("old", "new", "context", "message"),
    [
        ("current-context: prod", "", None, "no current-context is set in FILE"),
        ("", "", "nope", "context 'nope' is not in FILE"),
        ("cluster: prod-eu, user", "cluster: gone, user", None,
         "FILE: contexts[prod].context.cluster: cluster 'gone' is not in FILE"),
        ("server: https://api.prod.example.com", "", None, "FILE: clusters[prod-eu].cluster.server: is missing"),
        ("certificate-authority-data: ", "certificate-authority-data: aGk= #", None,
         "FILE: clusters[prod-eu].cluster.certificate-authority-data: there is no certificate in it"),
        ("certificate-authority-data: ", "certificate-authority: /does/not/exist #", None,
         "/does/not/exist: no such file"),
    ],
)  # fmt: skip
def test_what_a_context_lacks_is_named(tmp_path: Path, old: str, new: str, context: str | None, message: str) -> None:
    """KCFG-09."""
    kubeconfig = read(tmp_path, CONFIG.replace(old, new))
    with pytest.raises(KubeconfigError) as caught:
        kubeconfig.resolve(context)
    assert caught.value.message == message.replace("FILE", str(tmp_path / "0" / "config"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cluster: prod-eu, user: ", "cluster: prod-eu, user: y, was: ",
         "FILE:6: contexts[0].context.user: must be a text"),
        ("tls-server-name: api", "tls-server-name: yes",
         "FILE:14: clusters[0].cluster.tls-server-name: must be a text"),
        ("insecure-skip-tls-verify: false", "insecure-skip-tls-verify: 'no'",
         "FILE:16: clusters[0].cluster.insecure-skip-tls-verify: must be true or false"),
        ("namespace: shop", "namespace: [shop]", "FILE:6: contexts[0].context.namespace: must be a text"),
        ("certificate-authority-data: ", "certificate-authority-data: a b #",
         "FILE:13: clusters[0].cluster.certificate-authority-data: must be a text in base64"),
        ("token: t-o-p-s-e-c-r-e-t", "token: 10", "FILE:21: users[0].user.token: must be a text"),
        ("apiVersion: v1", "apiVersion: v2", "FILE:1: apiVersion: must be v1, not 'v2'"),
        ("kind: Config", "kind: Pod", "FILE:2: kind: must be Config, not 'Pod'"),
    ],
)  # fmt: skip
def test_what_kubectl_refuses_is_named_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    """KCFG-09."""
    assert old in CONFIG
    with pytest.raises(KubeconfigError) as caught:
        read(tmp_path, CONFIG.replace(old, new))
    file = str(tmp_path / "0" / "config")
    assert caught.value.message == message.replace("FILE", file)
    assert caught.value.details == {"file": file, "line": int(message.split(":")[1])}
    assert caught.value.hint == "kubectl config view"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "FILE:1: a kubeconfig must be a mapping"),
        ("contexts: {a: b}", "FILE:1: contexts: must be a list"),
        ("contexts: [a]", "FILE:1: contexts[0]: must be a mapping"),
        ("users: [{name: 1}]", "FILE:1: users[0].name: must be a text"),
        ("clusters: [{name: a, cluster: x}]", "FILE:1: clusters[0].cluster: must be a mapping"),
        ("users: [{name: a}, {name: a}]", "FILE:1: users[1].name: 'a' is there twice"),
        ("users: [{name: a}, {user: {}}, {}]", "FILE:1: users[2].name: '' is there twice"),
        ("x: 1\ncurrent-context: [a]", "FILE:2: current-context: must be a text"),
        ("users: [{name: a, user: {as-groups: [b, 5]}}]", "FILE:1: users[0].user.as-groups[1]: must be a text"),
        ("users: [{name: a, user: {as-user-extra: {b: c}}}]", "FILE:1: users[0].user.as-user-extra.b: must be a list"),
        ("a: [1\nb: }\n", "FILE:2: did not find expected ',' or ']'"),
    ],
)  # fmt: skip
def test_what_is_no_kubeconfig_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """KCFG-09."""
    with pytest.raises(KubeconfigError) as caught:
        read(tmp_path, text)
    assert caught.value.message == message.replace("FILE", str(tmp_path / "0" / "config"))


@pytest.mark.parametrize("text", ["", "---\n", "# nothing\n", "contexts: null\nusers:\n"])
def test_an_empty_kubeconfig_holds_nothing(tmp_path: Path, text: str) -> None:
    """KCFG-09."""
    assert dict(read(tmp_path, text).contexts) == {}


def test_an_entry_without_a_name_is_the_one_that_is_used_without_any_name(tmp_path: Path) -> None:
    nameless = "clusters: [{cluster: {server: 'https://n.test'}}]\nusers: [null]\ncontexts: [{context: {user: ''}}]"
    found = read(tmp_path, nameless, CONFIG.replace("current-context: prod", "")).resolve(None)
    assert (found.context, found.cluster, found.server) == ("", "", "https://n.test")


def test_dots_are_taken_off_a_relative_path_as_go_takes_them(tmp_path: Path) -> None:
    """Through a link the directory above would be another one."""
    (tmp_path / "0").mkdir()
    (tmp_path / "far" / "off").mkdir(parents=True)
    (tmp_path / "0" / "link").symlink_to(tmp_path / "far" / "off")
    (tmp_path / "0" / "ca.pem").write_text(CA_A)
    (tmp_path / "far" / "ca.pem").write_text(CA_B)
    cluster = "clusters: [{name: c, cluster: {server: 'https://c.test', certificate-authority: link/../ca.pem}}]"
    context = "contexts: [{name: c, context: {cluster: c}}]\ncurrent-context: c"
    assert read(tmp_path, f"{cluster}\n{context}").resolve(None).pin.ca_sha256 == ca_digest(CA_A.encode())


def test_the_file_that_kubectl_moves_is_read_where_it_is(tmp_path: Path) -> None:
    directory = tmp_path / ".kube"
    directory.mkdir()
    (directory / ".kubeconfig").write_text(CONFIG)
    home = {"HOME": str(tmp_path)}
    default = str(directory / "config")
    for found in (load(home, None), load(home, default), load({**home, "KUBECONFIG": f"/no/such:{default}"}, None)):
        assert (found.current_context, found.files[-1]) == ("prod", default)
    assert load({**home, "KUBECONFIG": "/no/such"}, None).current_context is None
    (directory / "config").write_text("current-context: bare")
    assert load(home, None).current_context == "bare"


def test_the_server_of_a_cluster_entry(tmp_path: Path) -> None:
    kubeconfig = read(tmp_path, CONFIG)
    assert (kubeconfig.server_of("bare"), kubeconfig.server_of("none")) == ("https://bare.test", None)


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(
        KubeconfigError, match="not a regular file, so kubectl could not read it a second time"
    ) as caught:
        load({}, str(tmp_path / "pipe"))
    assert caught.value.hint == (
        f"(umask 077; cat {tmp_path / 'pipe'} >FILE); kubectl stepup exec --kubeconfig FILE -- ..."
    )
    with pytest.raises(KubeconfigError, match=r": is a directory$"):
        load({}, str(tmp_path))


def test_a_substituted_process_is_named_as_it_was_typed() -> None:
    reading, writing = os.pipe()
    try:
        with pytest.raises(KubeconfigError) as caught:
            load({"KUBECONFIG": f"/dev/fd/{reading}"}, None)
    finally:
        os.close(reading)
        os.close(writing)
    assert caught.value.hint == "(umask 077; cat <(...) >FILE); kubectl stepup exec --kubeconfig FILE -- ..."


def test_the_null_device_is_an_empty_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to(os.devnull)
    for name in (os.devnull, "/dev/../dev/null", str(tmp_path / "null")):
        for kubeconfig in (load({"KUBECONFIG": name}, None), load({}, name)):
            with pytest.raises(KubeconfigError, match=rf"^no current-context is set in {name}$"):
                kubeconfig.resolve(None)


def test_a_file_that_does_not_exist_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("{}")
    gone, there = str(tmp_path / "gone"), str(tmp_path / "there")
    for name, said in ((gone, f"{gone} (no such file)"), (f"{there}:{gone}", f"{there}, {gone} (no such file)")):
        with pytest.raises(KubeconfigError) as caught:
            load({"KUBECONFIG": name}, None).resolve(None)
        assert str(caught.value) == f"no current-context is set in {said}"


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    """KCFG-08."""
    path = tmp_path / "config"
    with path.open("wb") as stream:
        stream.truncate((64 << 20) + 1)
    with pytest.raises(KubeconfigError, match=r"larger than 67108864 bytes$"):
        load({}, str(path))


def test_reading_changes_nothing(tmp_path: Path) -> None:
    kubeconfig = read(tmp_path, CONFIG)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("config")}
    kubeconfig.resolve(None)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("config")} == before
