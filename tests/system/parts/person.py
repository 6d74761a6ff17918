"""A person without a head: a browser with cookies and forms, a password, and a generator of one-time codes."""

from __future__ import annotations

from typing import Any

import mechanicalsoup
import pyotp
import requests
from bs4 import BeautifulSoup, Tag

from tests.system.parts.provider import PASSWORD, SEED, RunningProvider

MOST_PAGES = 8
CODE_FIELDS = ("user_code", "device_user_code")


class Person:
    """Somebody who fills in what the pages ask for, of whichever provider."""

    def __init__(self, provider: RunningProvider, *, name: str = "alice", seed: str = SEED) -> None:
        self.provider, self.name, self._totp = provider, name, pyotp.TOTP(seed)
        self.pages: list[str] = []
        """The pages seen, as HTML."""

        self._browser = mechanicalsoup.StatefulBrowser(soup_config={"features": "html.parser"})
        self._browser.session.verify = str(provider.ca_file)
        self._browser.session.trust_env = False
        # As browsers say it: Keycloak's device endpoint answers a posted form by what is accepted.
        self._browser.session.headers["Accept"] = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"

    def approve(self, verification_uri: str, user_code: str) -> str:
        """Type the code, sign in as far as asked, agree; return the text of the last page."""
        return self._walk(verification_uri, user_code, deny=False)

    def deny(self, verification_uri: str, user_code: str) -> str:
        """Type the code, sign in where that comes first, and refuse."""
        return self._walk(verification_uri, user_code, deny=True)

    def sign_in(self, url: str, *, redirect_uri: str) -> str:
        """Follow an authorization request to its end; return the URL with the code, which nothing answers."""
        self._browser.session.hooks["response"] = [_stop_before(redirect_uri)]
        try:
            self._walk(url, "", deny=False)
        except _Reached as end:
            return end.url
        raise AssertionError(f"not sent back to {redirect_uri}, the page says: {self.pages[-1]}")

    def pick_up(self) -> list[dict[str, str]]:
        """Return what waits on the authentication device (CIBA), as {id, account, message}."""
        found: list[dict[str, str]] = self._phone("GET", {}).json()
        return [one for one in found if one["account"] == self.name]

    def answer(self, request: dict[str, str], *, approve: bool) -> None:
        """Approve on the authentication device with a one-time code, or deny."""
        form = {"id": request["id"], **({"otp": self._totp.now()} if approve else {})}
        assert self._phone("POST", form).ok

    def _phone(self, method: str, form: dict[str, str]) -> requests.Response:
        url = f"{self.provider.issuer}/phone"
        answer: requests.Response = self._browser.session.request(method, url, data=form, timeout=20)
        return answer

    def _walk(self, url: str, user_code: str, *, deny: bool) -> str:
        self._browser.open(url, timeout=20)
        for _ in range(MOST_PAGES):
            page = self._page()
            if page.find("form") is None:
                return str(page.get_text(" ", strip=True))
            if self._submit(user_code, deny=deny):
                return str(self._page().get_text(" ", strip=True))
        raise AssertionError(f"more than {MOST_PAGES} pages, the last says: {self.pages[-1]}")

    def _submit(self, user_code: str, *, deny: bool) -> bool:
        """Fill in and send what the page has; tell whether that was the refusal."""
        form = self._browser.select_form("form")
        fields = {tag.get("name"): tag for tag in form.form.find_all(["input", "button"]) if tag.get("name")}
        given = {
            "username": self.name,
            "login": self.name,
            "password": PASSWORD,
            "otp": self._totp.now(),
            **dict.fromkeys(CODE_FIELDS, user_code),
        }
        for name, value in given.items():
            if name in fields and fields[name].get("type") not in {"submit", "hidden"}:
                form.set(name, value)
        refuses = deny and _asks_for_consent(fields)
        if refuses and "cancel" not in fields:
            # oidc-provider's button lies outside its form, which the library does not look at.
            form.new_control("hidden", "abort", "yes")
        self._browser.submit_selected(btnName=fields.get("cancel" if refuses else "accept"), timeout=20)
        return refuses

    def _page(self) -> BeautifulSoup:
        page: BeautifulSoup | None = self._browser.page
        assert page is not None, f"{self._browser.url} is no page"
        self.pages.append(str(page))
        return page


def _asks_for_consent(fields: dict[Any, Tag]) -> bool:
    """Whether one agrees on this page: Keycloak's has a button for no, oidc-provider's repeats the code, hidden."""
    return "cancel" in fields or any(name in fields and fields[name].get("type") == "hidden" for name in CODE_FIELDS)


class _Reached(Exception):
    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


def _stop_before(redirect_uri: str) -> Any:
    def look(response: requests.Response, *_: object, **__: object) -> None:
        location = response.headers.get("Location", "")
        if location.startswith(redirect_uri):
            raise _Reached(location)

    return look
