"""The pages a person sees: plain HTML without scripts; everything foreign is sanitised and escaped."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape

from kubectl_stepup.demo.device_requests import StoredDeviceRequest
from kubectl_stepup.demo.https_server import HTTPResponse
from kubectl_stepup.sanitise import safe

_STYLE = """
body{margin:0;background:#f4f5f7;color:#1d2129;font:16px/1.5 system-ui,sans-serif}
main{max-width:34rem;margin:8vh auto;padding:2rem 2.25rem;background:#fff;border-radius:.75rem;
box-shadow:0 1px 4px #0002}
h1{font-size:1.35rem;margin:0 0 1rem}
dl{margin:1.25rem 0;display:grid;grid-template-columns:auto 1fr;gap:.5rem 1.25rem}
dt{color:#5b6470}dd{margin:0;overflow-wrap:anywhere}
code{font:15px/1.5 ui-monospace,monospace;background:#f4f5f7;padding:.1rem .35rem;border-radius:.25rem}
.code{font:600 1.6rem/1.2 ui-monospace,monospace;letter-spacing:.08em}
label{display:block;margin:.9rem 0}
input{display:block;width:100%;box-sizing:border-box;font:inherit;padding:.5rem .6rem;
border:1px solid #b6bdc8;border-radius:.4rem}
button{font:inherit;padding:.55rem 1.4rem;border:1px solid #b6bdc8;border-radius:.4rem;background:#fff;
margin:.75rem .5rem 0 0;cursor:pointer}
button.yes{background:#17643a;border-color:#17643a;color:#fff}
.note{color:#5b6470;font-size:.93rem}.wrong{background:#fdecea;color:#8a1c12;padding:.6rem .8rem;border-radius:.4rem}
@media (prefers-color-scheme:dark){body{background:#15181d;color:#e6e8eb}main{background:#1f242b}
code,input,button{background:#15181d;color:inherit}
dt,.note{color:#a3abb6}}
""".strip()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    (
        "Content-Security-Policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'",
    ),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredFactors:
    """What the approval page must ask for besides the two buttons."""

    password: bool
    otp: bool


def code_page(csrf: str, *, problem: str = "", status: int = 200) -> HTTPResponse:
    """Ask for the code on the screen."""
    return _page(
        "Compare a code",
        f"""{_problem(problem)}<p>Type the code that your terminal shows.</p>
<form method="post" action="/device/code">{_hidden("csrf", csrf)}
<label>Code <input name="user_code" required autofocus autocomplete="off" autocapitalize="characters"></label>
<button class="yes">Continue</button></form>""",
        status,
    )


def sign_in_page(csrf: str, user_code: str, *, problem: str = "", status: int = 200) -> HTTPResponse:
    """Ask for the name and the password."""
    return _page(
        "Sign in",
        f"""{_problem(problem)}<form method="post" action="/sign-in">{_hidden("csrf", csrf)}
{_hidden("user_code", user_code)}
<label>User <input name="username" required autofocus autocomplete="username"></label>
{_password_field()}<button class="yes">Sign in</button></form>""",
        status,
    )


def approval_page(
    csrf: str,
    request: StoredDeviceRequest,
    email: str,
    factors: RequiredFactors,
    *,
    problem: str = "",
    status: int = 200,
) -> HTTPResponse:
    """Show what was asked for, the code to compare, and the two buttons."""
    rows = [("Signed in as", escape(safe(email)))]
    if request.command:
        rows.append(("Command", f"<code>{escape(safe(request.command, 2000))}</code>"))
    if request.cluster:
        rows.append(("Cluster", escape(safe(request.cluster))))
    if request.reason:
        rows.append(("Reason given", escape(safe(request.reason))))
    rows.append(("Asked by", escape(safe(request.client_id))))
    rows.append(("Code", f'<span class="code">{escape(request.user_code)}</span>'))
    listing = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    fields = (_password_field() if factors.password else "") + (_otp_field() if factors.otp else "")
    return _page(
        "Approve this?",
        f"""{_problem(problem)}<dl>{listing}</dl>
<p><strong>Approve only what you started yourself</strong>, and only if your terminal shows the same code.</p>
<p class="note">The command is what the program that asks says it is about to run.</p>
<form method="post" action="/device">{_hidden("csrf", csrf)}{_hidden("user_code", request.user_code)}{fields}
<button class="yes" name="action" value="approve">Approve</button>
<button name="action" value="deny" formnovalidate>Deny</button></form>""",
        status,
    )


def message_page(title: str, text: str, status: int = 200) -> HTTPResponse:
    """Show one sentence."""
    return _page(title, f"<p>{escape(text)}</p>", status)


def redirect(location: str, headers: tuple[tuple[str, str], ...] = ()) -> HTTPResponse:
    """Send the browser on with GET."""
    return HTTPResponse(status=303, headers=(("Location", location), ("Cache-Control", "no-store"), *headers))


def _page(title: str, body: str, status: int) -> HTTPResponse:
    document = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title><style>{_STYLE}</style></head>
<body><main><h1>{escape(title)}</h1>
{body}
</main></body></html>
"""
    return HTTPResponse(status=status, body=document.encode(), headers=_HEADERS)


def _problem(problem: str) -> str:
    return f'<p class="wrong" role="alert">{escape(problem)}</p>' if problem else ""


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def _password_field() -> str:
    return '<label>Password <input name="password" type="password" required autocomplete="current-password"></label>'


def _otp_field() -> str:
    return (
        '<label>Six-digit code of your authenticator <input name="otp" required inputmode="numeric" '
        'pattern="[0-9]{6}" autocomplete="one-time-code"></label>'
    )
