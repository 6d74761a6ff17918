"""One answer of the identity provider, as far as it can be trusted: status, one JSON object, two headers."""

from __future__ import annotations

from dataclasses import dataclass, field

from kubectl_stepup.errors import ProviderResponse

PORTAL_HINT = (
    "if this network wants a sign-in of its own, open any page in a browser first; then check the issuer's URL"
)
"""A captive portal or a proxy that answers in the provider's place looks like this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An HTTP answer.

    `document` is the JSON object of the body, or None with `problem` saying why there is none (a captive portal's
    HTML page, say). `date` is the Date header in seconds since the epoch, `retry_after_s` the Retry-After header.
    `is_own` says that the body has a JSON media type and came to its end, so that it is the endpoint's own word and no
    proxy's. The document can hold tokens, so it is not part of the repr.
    """

    url: str
    status: int
    document: dict[str, object] | None = field(repr=False)
    problem: str | None = None
    is_own: bool = False
    date: float | None = None
    retry_after_s: float | None = None

    def json_object(self) -> dict[str, object]:
        """Return the body.

        Raises:
            ProviderResponse: there is no JSON object in it; names the URL and the reason.

        """
        if self.document is None:
            problem = self.problem or "has no JSON in it"
            hint = PORTAL_HINT if "text/html" in problem.lower() else None
            if "Content-Encoding" in problem:
                hint = "have the server, or the bucket, send it without compression where none is asked for"
            raise ProviderResponse(f"{self.url} {problem} (HTTP {self.status})", hint=hint)
        return self.document
