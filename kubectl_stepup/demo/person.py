"""A headless person: opens the verification page, compares the code, signs in, approves or denies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import urljoin, urlsplit

from kubectl_stepup.demo.accounts import OTP_STEP_S, Credentials
from kubectl_stepup.demo.device_requests import plain_code
from kubectl_stepup.demo.https_client import HTTPAnswer, HTTPSClient
from kubectl_stepup.errors import DemoFailed
from kubectl_stepup.secret import Secret

_MOST_PAGES = 6


@dataclass(slots=True, kw_only=True)
class Page:
    """What a reader takes in: the title, the words, and the one form."""

    title: str = ""
    words: str = ""
    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    shown_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What became of a visit: the words of the approval page, which factors were typed, and the last title."""

    words: str
    typed: tuple[str, ...]
    outcome: str


class Person:
    """One person with a browser and an authenticator; `clock` gives seconds since the epoch."""

    def __init__(self, credentials: Credentials, ca_pem: str, clock: Callable[[], float]) -> None:
        self.credentials = credentials
        self.browser = HTTPSClient(ca_pem)
        self._clock = clock
        self._last_step = -1

    def use_new_browser(self) -> None:
        """Forget every sign-in."""
        self.browser.forget()

    def approve(self, verification_uri: str, user_code: str) -> Visit:
        """Approve the request behind `user_code`. Raises `DemoFailed` where the page does not play along."""
        return self._visit(verification_uri, user_code, "approve")

    def deny(self, verification_uri: str, user_code: str) -> Visit:
        """Deny the request behind `user_code`. Raises `DemoFailed`."""
        return self._visit(verification_uri, user_code, "deny")

    def _visit(self, uri: str, user_code: str, decision: Literal["approve", "deny"]) -> Visit:
        wanted = {"approve": "Approved", "deny": "Denied"}[decision]
        words, typed, sent = "", list[str](), set[str]()
        answer = self.browser.get(uri)
        for _ in range(_MOST_PAGES):
            page = read_page(answer)
            if page.title == wanted:
                return Visit(words=words, typed=tuple(typed), outcome=page.title)
            path = urlsplit(page.action).path
            if path in sent or path not in ("/device", "/device/code", "/sign-in"):
                # The page came again: what was typed is wrong, and would be wrong again.
                break
            sent.add(path)
            if path == "/device":
                if plain_code(page.shown_code) != plain_code(user_code):
                    raise DemoFailed(f'the page shows the code "{page.shown_code}", the terminal "{user_code}"')
                words = page.words
            filled = self._fill(page, user_code, decision, typed)
            answer = self.browser.post(urljoin(answer.url, page.action), filled)
        raise DemoFailed(f'the verification page says "{page.title}" (HTTP {answer.status}), wanted "{wanted}"')

    def _fill(self, page: Page, user_code: str, decision: str, typed: list[str]) -> dict[str, str]:
        filled = dict(page.fields)
        if urlsplit(page.action).path == "/device":
            filled["action"] = decision
            if decision == "deny":
                return filled
        known: dict[str, Callable[[], str]] = {
            "user_code": lambda: user_code,
            "username": lambda: self.credentials.name,
            "password": self.credentials.password_secret.reveal,
            "otp": lambda: self._one_time_code().reveal(),
        }
        for name in filled:
            if name in known:
                filled[name] = known[name]()
                if name in ("password", "otp"):
                    typed.append(name)
        return filled

    def _one_time_code(self) -> Secret:
        # The provider takes each step's code once. A second approval within 30 s uses the code of the next step,
        # which a provider that allows for clocks one step apart accepts already.
        self._last_step = max(int(self._clock()) // OTP_STEP_S, self._last_step + 1)
        return self.credentials.one_time_code(self._last_step * OTP_STEP_S)


def read_page(answer: HTTPAnswer) -> Page:
    """Read a page as a person does."""
    reader = _Reader()
    reader.feed(answer.text)
    reader.close()
    reader.page.words = " ".join(reader.page.words.split())
    return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.page.action = attributes.get("action", "")
        elif tag == "input":
            self.page.fields[attributes.get("name", "")] = attributes.get("value", "")
        elif tag in ("title", "style"):
            self._inside.append(tag)
        elif tag == "span" and attributes.get("class") == "code":
            self._inside.append("code")

    def handle_endtag(self, tag: str) -> None:
        if self._inside and tag in ("title", "style", "span"):
            self._inside.pop()
        self.page.words += " "

    def handle_data(self, data: str) -> None:
        inside = self._inside[-1] if self._inside else ""
        if inside == "title":
            self.page.title += data
            return
        if inside == "code":
            self.page.shown_code += data
        if inside != "style":
            self.page.words += data
