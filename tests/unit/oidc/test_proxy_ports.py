"""The port of a NO_PROXY entry: digits alone."""

from __future__ import annotations

import pytest

from kubectl_stepup.oidc.proxy import proxy_for

PROXY = {"HTTPS_PROXY": "http://proxy:3128"}


@pytest.mark.parametrize("port", ["\u00b2", "\u0664\u0664\u0663", "+443", "4_43", "9" * 5000, "44"])
def test_what_is_no_such_port_matches_nothing(port: str) -> None:
    assert proxy_for("host", 443, PROXY | {"NO_PROXY": f"host:{port}"}) is not None


@pytest.mark.parametrize("entry", ["host:443", "host:0443", "host"])
def test_the_port_itself_does(entry: str) -> None:
    assert proxy_for("host", 443, PROXY | {"NO_PROXY": entry}) is None
