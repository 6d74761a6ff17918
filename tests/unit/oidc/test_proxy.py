from __future__ import annotations

import pytest

from kubectl_stepup.oidc.proxy import proxy_for

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        ({}, None),
        ({"HTTP_PROXY": PROXY, "http_proxy": PROXY}, None),
        ({"HTTPS_PROXY": PROXY}, PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, PROXY),
        ({"https_proxy": "", "HTTPS_PROXY": PROXY}, PROXY),
        ({"ALL_PROXY": PROXY}, PROXY),
        ({"HTTPS_PROXY": "proxy.example:3128"}, PROXY),
    ],
)
def test_the_environment_names_the_proxy(environ: dict[str, str], proxy: str | None) -> None:
    assert proxy_for("login.example.com", 443, environ) == proxy


@pytest.mark.parametrize(
    ("no_proxy", "host", "direct"),
    [
        ("*", "a.example.com", True),
        ("example.com", "a.example.com", True),
        (".example.com", "a.example.com", True),
        ("*.example.com", "a.example.com", True),
        ("example.com", "example.com", True),
        ("ample.com", "a.example.com", False),
        ("other.com, example.com ,", "A.Example.com", True),
        ("example.com:443", "a.example.com", True),
        ("example.com:8443", "a.example.com", False),
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.0/24", "192.0.2.1", True),
        ("10.0.0.0/8", "192.0.2.1", False),
        ("nonsense/8", "192.0.2.1", False),
        ("0.2.1", "192.0.2.1", False),
        ("2001:db8::1", "2001:db8::1", True),
        ("[2001:db8::1]", "2001:db8::1", True),
        ("", "127.0.0.1", True),
        ("", "::1", True),
        ("", "LocalHost", True),
        (".example.com", "example.com", False),
        ("*.example.com", "example.com", False),
        ("", "a.example.com", False),
        (" , ", "a.example.com", False),
    ],
)
def test_no_proxy_makes_exceptions(no_proxy: str, host: str, direct: bool) -> None:
    assert proxy_for(host, 443, {"HTTPS_PROXY": PROXY, "NO_PROXY": no_proxy}) == (None if direct else PROXY)
