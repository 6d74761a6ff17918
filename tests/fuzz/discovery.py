"""Discovery documents: what is taken from one leads to enrolled hosts over https, and names no shared secret's alg."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urllib3.util import parse_url

from kubectl_stepup.errors import ProviderError
from kubectl_stepup.oidc.metadata import ASYMMETRIC_ALGORITHMS, RS256, ProviderMetadata
from kubectl_stepup.strict_json import JSONRefused, json_object
from tests.fuzz.shown import harmless, refusal
from tests.fuzz.unusual_json import damaged
from tests.grammar.choices import chance, pick

if TYPE_CHECKING:
    from tests.fuzz.watch import Watch
    from tests.grammar.choices import Bytes

ISSUERS = ("https://login.example.com", "https://login.example.com/realms/prod", "https://login.example.com:8443")
HOSTS = ("auth.example.com", "auth.example.com:9443", "[2001:db8::1]")
ENDPOINTS = ("jwks_uri", "token_endpoint", "device_authorization_endpoint", "revocation_endpoint")
MEMBERS = (
    *ENDPOINTS,
    "issuer",
    "id_token_signing_alg_values_supported",
    "scopes_supported",
    "Issuer",
    "mtls_endpoint_aliases",
)
URLS = (
    *(
        "https://login.example.com/x",
        "https://LOGIN.example.com/x",
        "http://login.example.com/x",
        "https:login.example.com",
    ),
    *("https://login.example.com@evil.example/", "https://evil.example#@login.example.com", "https://evil.example/x"),
    *("https://login.example.com:443/x", "https://login.example.com:8443/x", "https://login.example.com:/x", "//x"),
    *(
        "https://login.example.com:99999/",
        "https://login.example.com:0/",
        "https://login.example.com:\u0664\u0664\u0663/",
    ),
    *(
        "https://login.example.com\\@evil.example/",
        "https://login.example.com\t.evil.example",
        "https://l\u043egin.example.com",
    ),
    *("https://login.example.com.evil.example/x", "https://login.example.com./x", "https://login.example.com%2eevil/x"),
    *(
        "https://[2001:db8::1]/x",
        "https://[2001:db8::1]:443/x",
        "https://[2001:db8::1",
        "https://[v1.x]/",
        "https://[]/x",
    ),
    *(
        "https://auth.example.com/x",
        "https://auth.example.com:9443/x",
        "https://" + "a" * 1900 + "/",
        "https:///x",
        "https://",
    ),
    *(
        "https://login.example.com?x@evil.example",
        "https://login.example.com;evil/",
        "javascript:alert(1)",
        "file:///etc",
    ),
)
WORDS = (*URLS, *ISSUERS, *ASYMMETRIC_ALGORITHMS, "EdDSA", "HS256", "none", "openid", "offline_access", "device")


def one(choices: Bytes, watch: Watch) -> str:
    """Read one document."""
    issuer = pick(choices, ISSUERS)
    hosts = HOSTS if chance(choices, 2) else ()
    data = _document(choices, issuer)

    def read() -> ProviderMetadata:
        return ProviderMetadata.from_document(json_object(data), issuer=issuer, endpoint_hosts=hosts)

    metadata = watch.attempt(read, ProviderError, JSONRefused)
    if isinstance(metadata, ProviderError):
        return refusal(metadata)
    if not isinstance(metadata, ProviderMetadata):
        harmless(str(metadata))
        return f"it {str(metadata)[:30]}"
    assert metadata.issuer == issuer
    for url in (metadata.jwks_uri, metadata.token_endpoint, metadata.revocation_endpoint):
        leads_home(url, issuer, hosts)
    try:
        leads_home(metadata.device_endpoint(), issuer, hosts)
    except ProviderError as exc:
        return refusal(exc)
    algorithms = metadata.accepted_algorithms()
    assert algorithms[0] == RS256
    assert {*algorithms} <= {*ASYMMETRIC_ALGORITHMS}
    return f"accepted: {len(algorithms)} algorithms, {min(len(metadata.scopes), 5)} scopes"


def leads_home(url: str | None, issuer: str, hosts: tuple[str, ...]) -> None:
    """Check where the library that sends requests would go with a URL that was taken."""
    if url is None:
        return
    allowed = {_place(issuer), *(_place(f"https://{host}") for host in hosts)}
    assert _place(url) in allowed, f"it leads to another host: {url!a}"
    harmless(url[:200])


def _place(url: str) -> tuple[str | None, str | None, int]:
    parts = parse_url(url)
    return parts.scheme, parts.host, parts.port or 443


def _document(choices: Bytes, issuer: str) -> bytes:
    members: dict[str, object] = {"issuer": issuer, **{name: f"{issuer}/{name}" for name in ENDPOINTS}}
    members["id_token_signing_alg_values_supported"] = ["RS256", pick(choices, WORDS), "HS256"]
    if chance(choices, 2):
        members["scopes_supported"] = ["openid", pick(choices, WORDS)]
    for name in ENDPOINTS:
        if chance(choices, 8):
            members[name] = pick(choices, URLS)
    return damaged(choices, members, MEMBERS, WORDS)
