"""The verification URI: sign in, see the request, approve or deny. Spec: RFC 8628 sections 3.3 and 5."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from kubectl_stepup.demo import pages
from kubectl_stepup.demo.accounts import Accounts, SignIn
from kubectl_stepup.demo.browser_sessions import BrowserSession, BrowserSessions
from kubectl_stepup.demo.device_requests import DeviceRequests, StoredDeviceRequest, single
from kubectl_stepup.demo.https_server import HTTPRequest, HTTPResponse
from kubectl_stepup.demo.throttle import Throttle

_WRONG_CODE = "No request waits under this code. Look at your terminal again, or repeat the command."
_TOO_MANY = "Too many wrong answers. Wait five minutes."


class VerificationPages:
    """Answer `/device`, `/device/code` and `/sign-in`."""

    def __init__(self, accounts: Accounts, requests: DeviceRequests, clock: Callable[[], float]) -> None:
        self._accounts = accounts
        self._requests = requests
        self._clock = clock
        self._sessions = BrowserSessions(clock)
        self._code_throttle = Throttle(limit=10, per_s=300)

    def answer(self, request: HTTPRequest) -> HTTPResponse | None:
        """Answer a request for one of the pages; None for any other path."""
        if request.path == "/device" and request.method in ("GET", "HEAD"):
            return self._show(request)
        answers = {"/device": self._decide, "/device/code": self._code, "/sign-in": self._sign_in}
        chosen = answers.get(request.path)
        if chosen is None:
            return None
        if request.method != "POST":
            return pages.message_page("Not here", "This address takes forms only.", 405)
        session, (form, repeated) = self._sessions.of(request), single(request.form())
        if session is None or repeated or not session.form_is_ours(form.get("csrf", "")):
            # Login and approval forms alike: a page elsewhere must not send them in the person's name.
            return pages.message_page("Start again", "This form is too old. Open the address again.", 403)
        return chosen(request, session, form)

    def _show(self, request: HTTPRequest) -> HTTPResponse:
        known = self._sessions.of(request)
        session = known or self._sessions.begin()
        answer = self._page_for(request, session, request.parameter("user_code") or "")
        return answer if known else replace(answer, headers=(*answer.headers, *session.set_cookie()))

    def _page_for(self, request: HTTPRequest, session: BrowserSession, user_code: str) -> HTTPResponse:
        if not user_code:
            return pages.code_page(session.csrf)
        if session.sign_in is None:
            # Whether the code exists is told only to somebody who signed in.
            return pages.sign_in_page(session.csrf, user_code)
        found = self._find(request, user_code)
        if isinstance(found, HTTPResponse):
            return found
        return self._approval(session, session.sign_in, found)

    def _find(self, request: HTTPRequest, user_code: str) -> StoredDeviceRequest | HTTPResponse:
        now = self._clock()
        if not self._code_throttle.open(request.client, now):
            return pages.message_page("Slow down", _TOO_MANY, 429)
        found = self._requests.by_user_code(user_code)
        if found is None or not found.is_open:
            self._code_throttle.miss(request.client, now)
            return pages.message_page("Nothing to approve", _WRONG_CODE, 404)
        return found

    def _approval(
        self,
        session: BrowserSession,
        sign_in: SignIn,
        request: StoredDeviceRequest,
        problem: str = "",
        status: int = 200,
    ) -> HTTPResponse:
        now = self._clock()
        factors = pages.RequiredFactors(
            password=request.password_needed(sign_in, now), otp=request.otp_needed(sign_in, now)
        )
        return pages.approval_page(
            session.csrf, request, sign_in.account.email, factors, problem=problem, status=status
        )

    def _code(self, request: HTTPRequest, session: BrowserSession, form: dict[str, str]) -> HTTPResponse:
        return pages.redirect(f"/device?user_code={quote(form.get('user_code', ''), safe='')}")

    def _sign_in(self, request: HTTPRequest, session: BrowserSession, form: dict[str, str]) -> HTTPResponse:
        name, user_code, now = form.get("username", ""), form.get("user_code", ""), self._clock()
        if not self._accounts.is_open(name, now):
            return pages.sign_in_page(session.csrf, user_code, problem=_TOO_MANY, status=429)
        fits = self._accounts.password_fits(name, form.get("password", ""), now)
        account = self._accounts.find(name)
        if not fits or account is None:
            problem = "User or password is wrong."
            return pages.sign_in_page(session.csrf, user_code, problem=problem, status=401)
        session = self._sessions.signed_in(session, SignIn(account=account, password_at=now))
        return pages.redirect(f"/device?user_code={quote(user_code, safe='')}", session.set_cookie())

    def _decide(self, request: HTTPRequest, session: BrowserSession, form: dict[str, str]) -> HTTPResponse:
        found = self._find(request, form.get("user_code", ""))
        if isinstance(found, HTTPResponse):
            return found
        if session.sign_in is None:
            return pages.sign_in_page(session.csrf, found.user_code)
        if form.get("action") == "deny":
            self._requests.deny(found)
            return pages.message_page("Denied", "Nothing will be run. You can close this page.")
        if form.get("action") != "approve":
            return self._approval(session, session.sign_in, found, status=400)
        stronger = self._strengthen(session.sign_in, found, form)
        if isinstance(stronger, str):
            return self._approval(session, session.sign_in, found, stronger, 401) if found.is_open else _refused()
        session.sign_in = stronger
        if not self._requests.approve(found, stronger):
            return _refused()
        return pages.message_page("Approved", "Go back to your terminal. You can close this page.")

    def _strengthen(self, sign_in: SignIn, request: StoredDeviceRequest, form: dict[str, str]) -> SignIn | str:
        """Check the factors that the request still needs; return the stronger sign-in, or what is wrong."""
        account, now = sign_in.account, self._clock()
        if not self._accounts.is_open(account.name, now):
            return _TOO_MANY
        if request.password_needed(sign_in, now):
            if not self._accounts.password_fits(account.name, form.get("password", ""), now):
                return "The password is wrong."
            sign_in = replace(sign_in, password_at=now)
        if request.otp_needed(sign_in, now):
            if not self._accounts.otp_fits(account, form.get("otp", ""), now):
                self._requests.otp_missed(request)
                return "The code is wrong, or was used before. Wait for the next one."
            sign_in = replace(sign_in, otp_at=now)
        return sign_in


def _refused() -> HTTPResponse:
    return pages.message_page("Not approved", "This request is closed. Repeat the command for a new one.", 403)
