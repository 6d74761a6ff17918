"""The pages: everything foreign is shown, nothing of it acts."""

from __future__ import annotations

import base64
import hashlib

from kubectl_stepup.demo import pages
from kubectl_stepup.demo.device_requests import StoredDeviceRequest
from kubectl_stepup.demo.https_client import HTTPAnswer
from kubectl_stepup.demo.https_server import HTTPResponse
from kubectl_stepup.demo.person import read_page
from kubectl_stepup.secret import Secret


def approval(command: str, *, cluster: str = "", reason: str = "") -> HTTPResponse:
    request = StoredDeviceRequest(
        client_id="kubectl-elevated",
        scope="openid",
        device_code=Secret("device"),
        user_code="WDJB-MJHT",
        created_at=0,
        expires_at=900,
        interval_s=5,
        code_challenge="",
        command=command,
        clock=lambda: 0,
        cluster=cluster,
        reason=reason,
    )
    return pages.approval_page("csrf", request, "alice@example.com", pages.RequiredFactors(password=False, otp=True))


def seen(response: HTTPResponse) -> tuple[str, str]:
    page = read_page(HTTPAnswer(status=200, url="https://login.example.com/device", body=response.body))
    return page.words, page.shown_code


def test_the_approval_page_shows_what_is_asked_and_the_code() -> None:
    words, code = seen(approval("kubectl delete pod web-0 -n prod", cluster="prod-eu", reason="INC-42"))
    for expected in (
        "Signed in as alice@example.com",
        "Command kubectl delete pod web-0 -n prod",
        "Cluster prod-eu",
        "Reason given INC-42",
        "Asked by kubectl-elevated",
        "Approve only what you started yourself",
        "Six-digit code",
    ):
        assert expected in words
    assert code == "WDJB-MJHT"


def test_foreign_text_is_escaped_and_made_visible() -> None:
    response = approval('<script>alert(1)</script> "&\x1b[2J \u202e')
    assert b"<script" not in response.body
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &quot;&amp;\\u{1b}[2J \\u{202e}" in response.body.decode()


def test_no_script_runs_and_no_page_may_frame_it() -> None:
    headers = dict(approval("x").headers)
    style = approval("x").body.decode().partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_a_code_in_the_address_is_escaped_in_the_form() -> None:
    body = pages.sign_in_page("csrf", '"><b>').body.decode()
    assert 'value="&quot;&gt;&lt;b&gt;"' in body
