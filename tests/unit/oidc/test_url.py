from __future__ import annotations

import pytest

from kubectl_stepup.errors import ConfigError, ProviderResponse
from kubectl_stepup.oidc.url import checked_endpoint, checked_issuer, host, host_and_port

ISSUER = "https://login.example.com/realms/prod"


@pytest.mark.parametrize(
    "url",
    [
        "https://login.example.com/token",
        "https://LOGIN.example.com:443/token?x=1",
        "https://auth.example.com/token",
        "https://other.example.com:8443/",
    ],
)
def test_the_issuers_host_and_enrolled_ones_may_be_used(url: str) -> None:
    hosts = ("auth.example.com", "other.example.com:8443")
    assert checked_endpoint("token_endpoint", url, issuer=ISSUER, hosts=hosts) == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (None, "is not a string"),
        (["https://login.example.com"], "is not a string"),
        ("http://login.example.com/token", "is not https"),
        ("HTTP://login.example.com/token", "is not https"),
        ("javascript:alert(1)", "is not https"),
        ("file:///etc/passwd", "is not https"),
        ("data:text/html,x", "is not https"),
        ("//login.example.com/", "is not https"),
        ("-oProxyCommand=x", "is not https"),
        ("https://login.example.com@evil.example/", "has a user name in it"),
        ("https://evil@login.example.com/", "has a user name in it"),
        ("https://login.example.com/#x", "has a fragment"),
        ("https://login.example.com/#", "has a fragment"),
        ("https:///token", "has no host"),
        ("https://:443/token", "has no host"),
        ("https://login.example.com:0/", "has no host"),
        ("https://login.example.com:99999/", "is not a URL"),
        ("https://[::1/", "is not a URL"),
        ("https://login.exаmple.com/", "has characters that are not allowed in a URL"),
        ("https://login.example.com/\n", "has characters that are not allowed in a URL"),
        ("https://login.example.com/\x1b[2J", "has characters that are not allowed in a URL"),
        ("https://login.example.com/ x", "has characters that are not allowed in a URL"),
        ("https://login.example.com\\@evil.example/", "has a backslash"),
        ("https://login.example.com/" + "x" * 10_000, "is too long"),
        (f"https://{'a' * 260}/", "has a host that is too long"),
        ("https://evil.example/", "is on 'evil.example', which is not enrolled"),
        ("https://login.example.com.evil.example/", "which is not enrolled"),
        ("https://sub.login.example.com/", "which is not enrolled"),
        ("https://login.example.com:8443/", "is on 'login.example.com:8443', which is not enrolled"),
    ],
)
def test_every_other_address_is_refused(url: object, reason: str) -> None:
    """DEV-14, DIS-03."""
    with pytest.raises(ProviderResponse) as caught:
        checked_endpoint("token_endpoint", url, issuer=ISSUER, hosts=())
    assert reason in caught.value.message
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 400


def test_a_url_of_letters_that_need_ten_to_be_written_is_cut_all_the_same() -> None:
    with pytest.raises(ProviderResponse) as caught:
        checked_endpoint("token_endpoint", "https://" + "\U0010ffff" * 200, issuer=ISSUER, hosts=())
    assert "has characters that are not allowed in a URL" in caught.value.message
    assert len(caught.value.message) < 400


def test_the_longest_host_that_there_can_be_is_taken() -> None:
    name = f"{'a.' * 126}a:65535"
    assert checked_endpoint("jwks_uri", f"https://{name}/", issuer=ISSUER, hosts=(name,)) == f"https://{name}/"


def test_the_hint_names_the_setting() -> None:
    with pytest.raises(ProviderResponse) as caught:
        checked_endpoint("verification_uri", "https://evil.example/d", issuer=ISSUER, hosts=())
    assert caught.value.hint == (
        "if that host is the provider's, enrol it with the preset: verificationHosts: [evil.example]"
    )


@pytest.mark.parametrize("issuer", ["https://login.example.com", "https://login.example.com/", "https://127.0.0.1:1/a"])
def test_an_issuer_is_taken_as_it_is(issuer: str) -> None:
    assert checked_issuer(issuer) == issuer


@pytest.mark.parametrize(
    "issuer", ["", "login.example.com", "http://localhost", "http://localhost:80@evil", "https://a/?q", "https://a/#f"]
)
def test_an_issuer_that_kubernetes_would_not_accept_is_refused(issuer: str) -> None:
    """DIS-02."""
    with pytest.raises(ConfigError, match="issuer"):
        checked_issuer(issuer)


def test_a_host_is_shown_without_the_usual_port() -> None:
    assert (host("https://A.example/x"), host("https://a.example:8443/")) == ("a.example", "a.example:8443")
    assert host_and_port("https://[::1]/") == "[::1]:443"
