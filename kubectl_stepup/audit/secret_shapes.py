"""What gives a secret away: the name that it stands under, or its own shape."""

from __future__ import annotations

import re

REDACTED = "[redacted]"

SECRET_NAME = re.compile(
    r"passw|passphrase|passcode|(?<!by)(?<!com)pass(?![a-z])|pwd|secret|token|credential|otp\b|bearer|authorization|[-_]auth\b|"
    r"(api|app|private|client|access|account|encryption|signing|master|license|shared|ssh|jwt)[-_.]?key",
    re.IGNORECASE,
)

# Names that hold such a word and yet only point at a secret, or switch something.
_POINTER_NAME = re.compile(
    r"(?i:(name|ref|refs|seconds|path|file|dir|url|uri|type|mount|pullsecrets)$|^-{0,2}automount)"
    r"|^-{0,2}(?:(?:[Ss]how|[Aa]llow|[Nn]o)(?=[-_.A-Z])|(?:SHOW|ALLOW|NO)(?=[-_.]))"  # not NODE_AUTH_TOKEN
)

# NOTE: arguments may be a megabyte of anything, so every pattern here takes linear time (possessive where it repeats).
_DOTTED = re.compile(r"(?<![\w.-])[\w.-]++")
# Presigned addresses of object stores carry their right in a signature: sig=, X-Amz-Signature=, X-Goog-Signature=.
_QUERY = re.compile(r"([?&])([\w.-]++)=([^&#\s]++)")
_SCHEME = re.compile(r"\b(bearer|basic)\s++[\w.~+/=-]{4,}+", re.IGNORECASE)  # RFC 6750, RFC 7617
_USERINFO = re.compile(r"(?<=://)(?:[^/?#@\s\"']*+@)++")  # an unescaped @ may stand in a password
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*", re.DOTALL)

_ISSUED = re.compile(
    r"""(?<![\w-])(?:
    (?: gh[a-z]_ | github_pat_ | gl[a-z]{2,8}- | xox[a-z]- | xapp- | [rsp]k_(?:live|test)_ | hv[bsr]\. | ya29\.
      | shp[a-z]{2}_ | dckr_pat_ | dop_v1_ | glsa_ | lin_api_ | sk-(?:ant|proj|svcacct)-
      | AGE-SECRET-KEY- ) [\w.+/=~-]{6,}+
    | (?: AKIA | ASIA ) [A-Z0-9]{12,}+
    | (?: npm_ | pypi- | SG\. | AIza | sk- ) [\w.-]{20,}+
    )""",
    re.VERBOSE,
)
"""How tokens of GitHub, GitLab, Slack, Stripe, Vault, Google, Shopify, Docker, AWS, npm, PyPI and others begin."""

_HEADER = re.compile(r"(?<![\w./-])([A-Za-z][\w-]*+)(:\s++)([^\"'\n]++)")
_HEADER_ALONE = re.compile(r"([\w-]++)(:\s*+)(.++)", re.DOTALL)
_HEADER_WORDS = frozenset(
    {"auth", "authorization", "cookie", "jwt", "key", "session", "sessionid", "signature", "apikey"}
)
_WITH_SCHEME = re.compile(r"(\w++\s++)\S")


def is_secret_name(name: str) -> bool:
    """Whether a flag, variable or member of this name holds a secret."""
    return SECRET_NAME.search(name) is not None and _POINTER_NAME.search(name.strip()) is None


def without_shapes(value: str) -> str:
    """Redact what is a secret by its shape: issued tokens, JWTs, userinfo and queries of URLs, private keys."""
    value = _PRIVATE_KEY.sub(REDACTED, value)
    value = _DOTTED.sub(_without_jwt, value)
    value = _SCHEME.sub(rf"\1 {REDACTED}", value)
    value = _USERINFO.sub(f"{REDACTED}@", value)
    value = _ISSUED.sub(REDACTED, value)
    return _QUERY.sub(_without_query_secret, value)


def without_headers(value: str) -> str:
    """Redact the values of HTTP headers that carry a secret, as far as a quote or the end of the line."""
    return _HEADER.sub(_without_header, value)


def without_header(value: str) -> str:
    """Redact the value of one header, `Name: value`; blanks around the colon may be missing."""
    found = _HEADER_ALONE.fullmatch(value)
    return value if found is None else _without_header(found)


def _without_header(header: re.Match[str]) -> str:
    name, colon, value = header.groups()
    parts = name.lower().replace("_", "-").split("-")
    if not _HEADER_WORDS.intersection(parts) and not is_secret_name(name):
        return header[0]
    scheme = _WITH_SCHEME.match(value) if "authorization" in parts else None
    return f"{name}{colon}{scheme[1] if scheme else ''}{REDACTED}"


def _without_jwt(run: re.Match[str]) -> str:
    start = run[0].find("eyJ")  # `{"` in base64url: a JOSE header (RFC 7519)
    return run[0] if start < 0 or run[0].count(".", start) < 2 else run[0][:start] + REDACTED


def _without_query_secret(pair: re.Match[str]) -> str:
    name = pair[2].lower()
    secret = is_secret_name(pair[2]) or name in ("code", "key", "sig") or name.endswith("signature")
    return f"{pair[1]}{pair[2]}={REDACTED}" if secret else pair[0]
