"""What pins a cluster, compared so that one sees what is different."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin

PIN = ClusterPin(server="https://api.example.com")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tls_server_name": "\u0430pi.example.com"}, r"tls-server-name was none, is now '\u0430pi.example.com'"),
        ({"tls_server_name": "none"}, "tls-server-name was none, is now 'none'"),
        ({"tls_server_name": "api.example.com "}, "tls-server-name was none, is now 'api.example.com '"),
        ({"proxy_url": "http://a\u200b:1"}, r"proxy-url was none, is now 'http://a\u200b:1'"),
        ({"server": "https://\u0430pi.example.com"}, r"server was https://api.example.com, is now 'https://\u0430pi.example.com'"),
        ({"ca_sha256": "9f"}, "certificate authority was the system's, is now sha256 9f"),
        ({"insecure": True}, "insecure-skip-tls-verify was false, is now true"),
    ],
)  # fmt: skip
def test_a_value_that_only_looks_the_same_is_seen(changes: dict[str, Any], said: str) -> None:
    assert PIN.differences(PIN.replaced(**changes)) == (said,)


def test_passwords_that_differ_are_not_shown_and_not_two_values_that_look_the_same() -> None:
    old, new = PIN.replaced(proxy_url="http://me:one@p:1"), PIN.replaced(proxy_url="http://me:two@p:1")
    assert old.differences(new) == ("proxy-url http://p:1 has another user or password",)
