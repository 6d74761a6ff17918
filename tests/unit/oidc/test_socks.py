"""SOCKS5 proxies of the environment, against a real one on loopback."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kubectl_stepup.errors import ProviderUnreachable
from kubectl_stepup.oidc.transport import Transport
from tests.support.provider import Provider
from tests.support.provider.fixtures import StartProvider, start_provider
from tests.support.provider.socks import Socks

__all__ = ["start_provider"]

NAME = "login.example.test"


def get(to: Provider, **environ: str) -> int:
    transport = Transport(environ=environ, ca_file=str(to.ca_file), deadline_s=10)
    try:
        return transport.get(f"{to.issuer}/.well-known/openid-configuration").status
    finally:
        transport.close()


@pytest.mark.parametrize("variable", ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"])
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "SOCKS5"])
def test_the_proxy_resolves_the_name(start_provider: StartProvider, scheme: str, variable: str) -> None:
    """As kubectl has it do for both schemes: the name need not be known on this machine."""
    provider = start_provider(name=NAME)
    with Socks() as proxy:
        assert get(provider, **{variable: f"{scheme}://{proxy.host}"}) == 200
    assert proxy.targets == [provider.host]


def test_with_a_user_and_a_password(start_provider: StartProvider) -> None:
    provider = start_provider(name=NAME)
    with Socks(user="me@x:p:w") as proxy:
        assert get(provider, ALL_PROXY=f"socks5://me%40x:p%3Aw@{proxy.host}") == 200
        with pytest.raises(ProviderUnreachable) as caught:
            get(provider, ALL_PROXY=f"socks5://me:s3cret@{proxy.host}")
    assert caught.value.message.startswith(f"{provider.host} cannot be reached through the proxy {proxy.host}: ")
    assert "s3cret" not in caught.value.message


def test_no_proxy_counts_for_it_too(start_provider: StartProvider) -> None:
    provider = start_provider()
    with Socks() as proxy:
        assert get(provider, ALL_PROXY=f"socks5://{proxy.host}") == 200  # loopback is behind no proxy
        named = start_provider(name=NAME)
        with pytest.raises(ProviderUnreachable, match="its name cannot be resolved"):
            get(named, ALL_PROXY=f"socks5://{proxy.host}", NO_PROXY="example.test")
    assert proxy.targets == []


@pytest.mark.parametrize("answer", [1, 2, 5, 9])
def test_a_proxy_that_says_no(start_provider: StartProvider, answer: int) -> None:
    provider = start_provider(name=NAME)
    with Socks(answer=answer) as proxy, pytest.raises(ProviderUnreachable) as caught:
        get(provider, ALL_PROXY=f"socks5://{proxy.host}")
    assert caught.value.message.startswith(f"{provider.host} cannot be reached through the proxy {proxy.host}: ")
    assert "0x0" in caught.value.message


def test_a_proxy_that_is_down(start_provider: StartProvider) -> None:
    provider = start_provider(name=NAME)
    with Socks() as proxy:
        pass
    with pytest.raises(ProviderUnreachable, match=f"through the proxy {proxy.host}: connection refused"):
        get(provider, ALL_PROXY=f"socks5://{proxy.host}")


@pytest.mark.parametrize(
    ("proxy", "scheme", "hint"),
    [
        ("socks4://me:s3cret@proxy:1080", "'socks4'", "socks5h"),
        ("socks4a://proxy:1080", "'socks4a'", "socks5h"),
        ("socks://proxy:1080", "'socks'", "socks5h"),
        ("ftp://proxy", "'ftp'", "http"),
        ("s\u043ecks5://proxy", r"'s\u043ecks5'", "http"),
    ],
)
def test_another_kind_of_proxy_is_named_with_the_ones_that_work(proxy: str, scheme: str, hint: str) -> None:
    with pytest.raises(ProviderUnreachable) as caught:
        Transport(environ={"ALL_PROXY": proxy}).get("https://login.example.com/")
    assert caught.value.message == (
        f"login.example.com cannot be reached: ALL_PROXY names a proxy of scheme {scheme} "
        "(supported: http, https, socks5, socks5h)"
    )
    assert caught.value.hint == f"export ALL_PROXY={hint}://HOST:PORT"


def test_its_library_is_loaded_only_where_it_is_needed() -> None:
    program = "import sys, kubectl_stepup.oidc.transport; print('socks' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ran.stdout == "False\n"
