"""What `make mutate` changes, the tests that must notice, and the changes without an effect."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Modules or packages, and the tests that have to notice every change in them.

    `left_out` are tests that check nothing here, with the reason beside them. `equivalent` has, by function and changed
    line, one sentence why the change makes no difference; it excuses nothing, the score counts it as survived.
    """

    mutated: tuple[str, ...]
    evaluates: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    equivalent: tuple[tuple[str, str, str], ...] = ()


EVIDENCE = (
    "step_up_parameters",
    "evidence",
    "claims",
    "id_token",
    "preset",
    "preset_overrides",
    "presets",
)

GROUPS = {
    "policy": Group(
        mutated=("kubectl_stepup/kubectl/command.py", "kubectl_stepup/policy/evaluate.py"),
        evaluates=(
            "tests/unit/kubectl/test_command.py",
            "tests/unit/kubectl/test_command_line.py",
            "tests/unit/policy/test_evaluate.py",
            "tests/attacks/test_policy_bypass.py",
        ),
        # Hypothesis takes ten seconds to say what failed, and half a thousand rules one to be read.
        left_out=(
            "tests/unit/policy/test_evaluate.py::test_the_place_of_a_flag_makes_no_difference",
            "tests/unit/policy/test_evaluate.py::test_a_decision_over_a_thousand_rules_and_names_ends",
        ),
    ),
    "assurance": Group(
        mutated=tuple(f"kubectl_stepup/oidc/{name}.py" for name in EVIDENCE),
        evaluates=("tests/unit/oidc",),
        equivalent=(
            (
                "_decoded",
                'data = base64.urlsafe_b64decode(part + "=" * (+len(part) % 4))',
                "more padding than a text needs is skipped.",
            ),
            (
                "_decoded",
                'if base64.urlsafe_b64encode(data).rstrip(b"=") != part.encode("ASCII"):',
                "it is the same encoding.",
            ),
            ("_refuse_signature", "usable = None", "only its truth is used."),
            ("_imported", 'warnings.simplefilter("ignore", )', "the library has no other warning here."),
            (
                "_imported",
                'warnings.simplefilter("ignore", None)',
                "a key that is warned of is too small to be used in any case.",
            ),
            ("_is_signed_by", 'warnings.simplefilter("ignore", )', "the library has no other warning here."),
            (
                "_is_signed_by",
                "registry = jws.JWSRegistry(algorithms=[parts.alg], strict_check_header=None)",
                "only its truth is used.",
            ),
            *(
                (
                    "_is_signed_by",
                    f"registry.max_{part}_length = 3 * MAX_{part.upper()}",
                    "what is longer was refused before, and twice that is room enough for its text.",
                )
                for part in ("header", "payload", "signature")
            ),
        ),
    ),
}
"""By the name that `make mutate MUTATE=…` takes."""
