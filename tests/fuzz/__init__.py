"""What others write is thrown at the parts that read it, until something breaks: `make fuzz`.

A target is a module with `one(choices, watch) -> str`: it makes one input by `choices`, gives it to the product, raises
where the answer is not what it must be, and says in a few words what came out. A line in `TARGETS` is all it needs.
With atheris the choices are guided by what they reach in the product for half of the time; the rest is left to chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TARGETS: Mapping[str, str] = {
    "command": "tests.fuzz.command",
    "manifest": "tests.fuzz.manifest",
    "policy": "tests.fuzz.policy",
    "policy-cases": "tests.fuzz.policy_cases",
    "kubeconfig": "tests.fuzz.kubeconfig",
    "id-token": "tests.fuzz.id_token",
    "jwks": "tests.fuzz.jwks",
    "discovery": "tests.fuzz.discovery",
    "device": "tests.fuzz.device",
    "token-response": "tests.fuzz.token_response",
    "http-answer": "tests.fuzz.http_answer",
}
"""The targets by name, each with its module."""
