"""The token endpoint's two kinds of answer: tokens, or an error.

Spec: RFC 6749 sections 5.1 and 5.2; OpenID Connect Core 1.0 section 3.1.3.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubectl_stepup.errors import ProviderResponse
from kubectl_stepup.sanitise import safe
from kubectl_stepup.secret import Secret

MAX_TOKEN_LENGTH = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthError:
    """An error answer; both texts are the provider's, not yet safe to show."""

    error: str
    description: str = ""

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> OAuthError | None:
        """Read the error of `document`, or give None where it has no member `error`.

        Raises:
            ProviderResponse: `error` is not a string.

        """
        if "error" not in document:
            return None
        error, description = document["error"], document.get("error_description")
        if not isinstance(error, str) or not error:
            raise ProviderResponse(f"the provider's error is not a string: {safe(ascii(error), 80)}")
        return cls(error=error, description=description if isinstance(description, str) else "")

    def shown(self) -> str:
        """Return `error: description`, safe to show."""
        error = safe(self.error, 60)
        return f"{error}: {safe(self.description)}" if self.description else error


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenResponse:
    """Tokens. `scope` is None where the provider does not say, which means the scope asked for."""

    id_token: Secret
    access_token: Secret | None
    refresh_token: Secret | None
    scope: tuple[str, ...] | None

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> TokenResponse:
        """Read a successful answer; whether the ID token may be believed is another question.

        Raises:
            ProviderResponse: no ID token, a token type other than Bearer, or members of the wrong type.

        """
        token_type = document.get("token_type")
        if not isinstance(token_type, str) or token_type.lower() != "bearer":
            shown = "no token_type" if token_type is None else f"token_type {safe(ascii(token_type), 40)}"
            raise ProviderResponse(f"the token response has {shown}, not Bearer")
        id_token = _token(document, "id_token")
        if id_token is None:
            raise ProviderResponse("the token response has no id_token (is `openid` among the client's scopes?)")
        scope = document.get("scope")
        if scope is not None and not isinstance(scope, str):
            raise ProviderResponse("scope in the token response is not a string")
        return cls(
            id_token=id_token,
            access_token=_token(document, "access_token"),
            refresh_token=_token(document, "refresh_token"),
            scope=None if scope is None else tuple(scope.split()),
        )


def _token(document: Mapping[str, object], name: str) -> Secret | None:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value or len(value) > MAX_TOKEN_LENGTH:
        raise ProviderResponse(f"{name} in the token response is not a token")
    return Secret(value)
