"""The exec credential protocol: what client-go asks, whether the enrolled server is behind it, what is answered.

Nothing but the standard library is imported, and json and hashlib only where they are needed: this is on the fast path.

Spec: https://kubernetes.io/docs/reference/config-api/client-authentication.v1/ and `.v1beta1`.
"""

from __future__ import annotations

from kubectl_stepup.errors import CredentialWithheld
from kubectl_stepup.kubeconfig.cluster_pin import ca_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin
    from kubectl_stepup.secret import Secret

API_GROUP = "client.authentication.k8s.io"
VERSIONS = ("v1", "v1beta1")
LARGEST_EXEC_INFO = 1 << 20


class ExecInfo:
    """What client-go tells the plugin in KUBERNETES_EXEC_INFO.

    `version` is one of `VERSIONS`; `interactive` whether stdin was passed on (it says nothing about a human being
    there); `cluster` is `spec.cluster`, None without `provideClusterInfo: true`.
    """

    __slots__ = ("cluster", "interactive", "version")

    def __init__(self, *, version: str, interactive: bool, cluster: dict[str, object] | None) -> None:
        self.version = version
        self.interactive = interactive
        self.cluster = cluster

    def __repr__(self) -> str:
        return f"ExecInfo({self.version!r}, interactive={self.interactive!r})"


def parse(text: str) -> ExecInfo:
    """Parse the value of KUBERNETES_EXEC_INFO.

    Raises:
        CredentialWithheld: it is absent, no ExecCredential, or of a version that nobody answers.
    """
    import json

    if not text:
        raise CredentialWithheld(
            "KUBERNETES_EXEC_INFO is not set: this command is called by kubectl, or by a client library that sets it, "
            "not by hand",
            hint="kubectl stepup status",
        )
    try:
        if len(text) > LARGEST_EXEC_INFO:
            raise ValueError("too long")
        found = json.loads(text, object_pairs_hook=_unrepeated)
        version = _version(found["apiVersion"])
        spec = found["spec"]
        interactive, cluster = spec.get("interactive", False), spec.get("cluster")
        typed = isinstance(interactive, bool) and isinstance(cluster, dict | None)
        if found["kind"] != "ExecCredential" or not typed:
            raise ValueError("not an ExecCredential")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CredentialWithheld("KUBERNETES_EXEC_INFO is not an ExecCredential") from error
    return ExecInfo(version=version, interactive=interactive, cluster=cluster)


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is there twice")
    return found


def _version(api_version: object) -> str:
    group, _, version = str(api_version).partition("/")
    if group != API_GROUP or version not in VERSIONS:
        known = " or ".join(f"{API_GROUP}/{known}" for known in VERSIONS)
        raise CredentialWithheld(f"the exec entry asks for {api_version!s}, this plugin speaks {known}")
    return version


def withheld_reason(pin: ClusterPin, info: ExecInfo) -> str | None:
    """Return why a session's token must not be released to the server that client-go names; None: it may.

    Every field that decides where the token travels is compared as the enrolment has it, with nothing added and nothing
    left out: server, CA certificates, name in the server's certificate, proxy, unchecked certificates. `config`, which
    a kubeconfig fills as it likes, is not looked at.
    """
    cluster = info.cluster
    if cluster is None:
        return "the client did not say which server the token is for (`spec.cluster` of KUBERNETES_EXEC_INFO)"
    server = cluster.get("server")
    if not isinstance(server, str) or not server.startswith("https://"):
        return f"the server {_shown(server)} is not reached by https"
    if not _same_server(server, announced_server(pin.server)):
        return f"the server is {_shown(server)}, enrolled is {pin.server}"
    for field, enrolled in (("tls-server-name", pin.tls_server_name), ("proxy-url", pin.proxy_url)):
        if (cluster.get(field) or None) != (enrolled or None):
            return f"`{field}` is not as enrolled"
    if bool(cluster.get("insecure-skip-tls-verify")) != pin.insecure:
        return "`insecure-skip-tls-verify` is not as enrolled"
    if names_ca_file(info):
        if not pin.ca_sha256:
            return _UNENROLLED_CA
        return "the client gave the name of a CA file and not its content (`certificate-authority-data`)"
    return _ca_reason(pin.ca_sha256, cluster.get("certificate-authority-data"))


_UNENROLLED_CA = "a certificate authority was given, the system's are enrolled"


def names_ca_file(info: ExecInfo) -> bool:
    """Whether a client handed its kubeconfig's cluster on as it is, with a path that client-go puts the content for."""
    cluster = info.cluster or {}
    return bool(cluster.get("certificate-authority")) and not cluster.get("certificate-authority-data")


def _ca_reason(enrolled: str | None, data: object) -> str | None:
    if not data:
        return None if not enrolled else "no certificate authority was given, one is enrolled"
    if not enrolled:
        return _UNENROLLED_CA
    import binascii

    try:
        digest = ca_digest(binascii.a2b_base64(str(data), strict_mode=True))
    except ValueError:
        return "the certificate authority cannot be read"
    return None if digest == enrolled else "the certificate authority is not the enrolled one"


def _shown(server: object) -> str:
    """Show a foreign server: short, escaped, without a user and password."""
    if not isinstance(server, str):
        return "<none>"
    scheme, separator, rest = server.partition("://")
    authority, slash, path = rest.partition("/")
    text = f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"
    return ascii(text[:200])[1:-1]


def _same_server(server: str, enrolled: str) -> bool:
    """Compare as the enrolment does: a kubeconfig may write the same address with its default port or a slash."""
    if server == enrolled:
        return True
    from kubectl_stepup.kubeconfig.cluster_pin import normal_server

    return normal_server(server) == normal_server(enrolled)


def announced_server(server: str) -> str:
    """Return a kubeconfig's server as client-go names it: without query and fragment."""
    return server.partition("#")[0].partition("?")[0]


def render(token: Secret, expires_at: float, version: str) -> str:
    """Return the ExecCredential JSON that answers in `version`, closed by a newline; it holds the token.

    `expires_at` is the `expirationTimestamp` in seconds since the epoch (UTC), rounded down to a second.

    Raises:
        CredentialWithheld: nobody answers this version.
    """
    import json
    from datetime import UTC, datetime

    timestamp = datetime.fromtimestamp(int(expires_at), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = {
        "kind": "ExecCredential",
        "apiVersion": f"{API_GROUP}/{_version(f'{API_GROUP}/{version}')}",
        "spec": {},
        "status": {"expirationTimestamp": timestamp, "token": token.reveal()},
    }
    return json.dumps(answer, separators=(",", ":"), ensure_ascii=True) + "\n"


def smaller_ca_hint(cluster: str) -> str:
    """Return what to type where a cluster has too many CA certificates for a credential plugin."""
    import shlex

    return (
        f"kubectl config set-cluster {shlex.quote(cluster)} --embed-certs --certificate-authority=FILE   "
        "(FILE: the certificates of its own CA alone), then kubectl stepup setup"
    )


def expected_exec_info(
    pin: ClusterPin, *, ca_pem: bytes | None, disable_compression: bool = False, config: object = None
) -> tuple[bytes, ...]:
    """Return the expected values of KUBERNETES_EXEC_INFO: v1 not interactive, v1 interactive, v1beta1 likewise.

    `ca_pem` is the content of `certificate-authority-data` or of the file that `certificate-authority` names; `config`
    the cluster's extension `client.authentication.k8s.io/exec`. A wrong expectation costs time, never safety: the
    value is then parsed (`withheld_reason`).

    Spec: client-go `plugin/pkg/client/auth/exec`; the order of fields is that of the Go types.
    """
    import binascii
    import json

    fields: list[tuple[str, object]] = [("server", announced_server(pin.server))]
    if pin.tls_server_name:
        fields.append(("tls-server-name", pin.tls_server_name))
    if pin.insecure:
        fields.append(("insecure-skip-tls-verify", True))
    if ca_pem:
        fields.append(("certificate-authority-data", binascii.b2a_base64(ca_pem, newline=False).decode("ascii")))
    if pin.proxy_url:
        fields.append(("proxy-url", pin.proxy_url))
    if disable_compression:
        fields.append(("disable-compression", True))

    def go(value: object) -> str:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        for character in "<>&\u2028\u2029":
            text = text.replace(character, f"\\u{ord(character):04x}")
        return text

    shown = ",".join(f"{go(name)}:{go(value)}" for name, value in [*fields, ("config", config)])
    return tuple(
        f'{{"kind":"ExecCredential","apiVersion":"{API_GROUP}/{version}",'
        f'"spec":{{"cluster":{{{shown}}},"interactive":{go(interactive)}}}}}\n'.encode("utf-8", "replace")
        for version in VERSIONS
        for interactive in (False, True)
    )
