"""Reading and merging kubeconfig files as client-go does."""

from __future__ import annotations

import base64
import os
from functools import partial
from pathlib import Path

import pytest

from kubectl_stepup.documents.yaml_file import plain
from kubectl_stepup.errors import ConfigError, KubeconfigError
from kubectl_stepup.kube.cluster_identity import ca_digest
from kubectl_stepup.kube.kubeconfig import Kubeconfig, kubeconfig_files, load
from tests.kube.certificates import CA_A, CA_B

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
    return load({"KUBECONFIG": os.pathsep.join(paths)}, flag, parse=plain)


def test_a_context_is_resolved_with_everything_it_points_at(tmp_path: Path) -> None:
    found = read(tmp_path, CONFIG).resolve(None)
    file = str(tmp_path / "0" / "config")
    assert (found.context, found.cluster, found.user, found.namespace) == ("prod", "prod-eu", "alice", "shop")
    assert (found.server, found.ca_sha256) == ("https://api.prod.example.com", ca_digest(CA_A.encode()))
    assert (found.tls_server_name, found.proxy_url, found.insecure) == ("api", "http://proxy.test:3128", False)
    assert (found.file, found.cluster_file, found.user_file) == (file, file, file)
    assert found.context_raw["extensions"] == [{"name": "x", "extension": {"a": 1}}]
    assert found.impersonates == ("as",)


def test_what_is_left_out_is_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, CONFIG).resolve("bare")
    assert (found.user, found.namespace, found.ca_sha256, found.user_file) == ("", None, None, None)
    assert (found.tls_server_name, found.proxy_url, found.insecure, dict(found.user_raw)) == (None, None, True, {})


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
    assert read(tmp_path, context, cluster).resolve(None).ca_sha256 == ca_digest(CA_B.encode())


def test_ca_data_wins_over_a_ca_file(tmp_path: Path) -> None:
    text = CONFIG.replace("    tls-server-name", "    certificate-authority: /does/not/exist\n    tls-server-name")
    assert read(tmp_path, text).resolve(None).ca_sha256 == ca_digest(CA_A.encode())


def test_missing_and_empty_names_are_skipped_and_repeats_dropped(tmp_path: Path) -> None:
    real = tmp_path / "config"
    real.write_text(CONFIG)
    listed = os.pathsep.join(["", "/does/not/exist", str(real), "", str(real)])
    kubeconfig = load({"KUBECONFIG": listed}, None, parse=plain)
    assert kubeconfig.files == ("/does/not/exist", str(real))
    assert kubeconfig.resolve(None).context == "prod"


def test_the_flag_stands_alone_and_its_file_must_exist(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text(CONFIG.replace("current-context: prod", "current-context: bare"))
    kubeconfig = read(tmp_path, CONFIG, flag=str(other))
    assert (kubeconfig.files, kubeconfig.current_context) == ((str(other),), "bare")
    with pytest.raises(KubeconfigError, match=r"^/does/not/exist: no such file$"):
        load({}, "/does/not/exist", parse=plain)


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
        ("cluster: prod-eu, user: ", "cluster: prod-eu, user: y, was: ", None,
         "FILE: contexts[prod].context.user: must be a text, not True"),
        ("tls-server-name: api", "tls-server-name: yes", None,
         "FILE: clusters[prod-eu].cluster.tls-server-name: must be a text, not True"),
        ("insecure-skip-tls-verify: false", "insecure-skip-tls-verify: 'no'", None,
         "FILE: clusters[prod-eu].cluster.insecure-skip-tls-verify: must be true or false, not 'no'"),
        ("certificate-authority-data: ", "certificate-authority-data: aGk= #", None,
         "FILE: clusters[prod-eu].cluster.certificate-authority-data: there is no certificate in it"),
        ("certificate-authority-data: ", "certificate-authority: /does/not/exist #", None,
         "/does/not/exist: no such file"),
        ("namespace: shop", "namespace: [shop]", None,
         "FILE: contexts[prod].context.namespace: must be a text, not ['shop']"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_named(
    tmp_path: Path, old: str, new: str, context: str | None, message: str
) -> None:
    """KCFG-09."""
    kubeconfig = read(tmp_path, CONFIG.replace(old, new))
    with pytest.raises(KubeconfigError) as caught:
        kubeconfig.resolve(context)
    assert caught.value.message == message.replace("FILE", str(tmp_path / "0" / "config"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "FILE: a kubeconfig must be a mapping"),
        ("contexts: {a: b}", "FILE: contexts: must be a list"),
        ("contexts: [a]", "FILE: contexts[0].name: must be a text"),
        ("users: [{name: 1}]", "FILE: users[0].name: must be a text"),
        ("clusters: [{name: a, cluster: x}]", "FILE: clusters[0].cluster: must be a mapping"),
        ("users: [{name: a}, {name: a}]", "FILE: users[1].name: 'a' is there twice"),
        ("current-context: [a]", "FILE: kubeconfig.current-context: must be a text, not ['a']"),
        ("users: [{name: a, user: !!python/object:os.system {}}]",
         "FILE:1: the tag tag:yaml.org,2002:python/object:os.system is not supported"),
    ],
)  # fmt: skip
def test_what_is_no_kubeconfig_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """KCFG-09."""
    with pytest.raises(KubeconfigError) as caught:
        read(tmp_path, text)
    if "python" not in text:
        assert caught.value.message == message.replace("FILE", str(tmp_path / "0" / "config"))


@pytest.mark.parametrize("text", ["", "---\n", "# nothing\n", "contexts: null\nusers:\n"])
def test_an_empty_kubeconfig_holds_nothing(tmp_path: Path, text: str) -> None:
    """KCFG-09."""
    assert dict(read(tmp_path, text).contexts) == {}


def test_every_error_of_the_parser_becomes_one_about_the_kubeconfig(tmp_path: Path) -> None:
    with pytest.raises(KubeconfigError, match="config:2: "):
        read(tmp_path, "a: 1\n\tb: 2\n")
    with pytest.raises(KubeconfigError, match="repeated"):
        load({}, str(tmp_path / "0" / "config"), parse=partial(_fail, plain))


def _fail(_parse: object, _data: bytes, file: str) -> object:
    raise ConfigError(f"{file}: repeated")


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(KubeconfigError, match="not a regular file, so kubectl could not read it a second time"):
        load({}, str(tmp_path / "pipe"), parse=plain)
    with pytest.raises(KubeconfigError, match="not a regular file"):
        load({}, str(tmp_path), parse=plain)


def test_the_null_device_is_an_empty_kubeconfig() -> None:
    for kubeconfig in (load({"KUBECONFIG": os.devnull}, None, parse=plain), load({}, os.devnull, parse=plain)):
        with pytest.raises(KubeconfigError, match=r"^no current-context is set in /dev/null$"):
            kubeconfig.resolve(None)


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    """KCFG-08."""
    path = tmp_path / "config"
    path.write_bytes(b"#" * (5 << 20))
    with pytest.raises(KubeconfigError, match=r"larger than 4194304 bytes$"):
        load({}, str(path), parse=plain)


def test_reading_changes_nothing(tmp_path: Path) -> None:
    kubeconfig = read(tmp_path, CONFIG)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("config")}
    kubeconfig.resolve(None)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("config")} == before
