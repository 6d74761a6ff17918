"""Every error this program shows, each with a stable code and an exit code.

The tree (a test compares it with the classes)::

    StepUpError
    ├── UsageError                usage                     2
    ├── ConfigError               config-invalid            1
    │   ├── PolicyError           policy-invalid            1
    │   │   └── PolicyTooNew      client-too-old            1
    │   ├── KubeconfigError       kubeconfig-invalid        1
    │   ├── KubeconfigLocked      kubeconfig-locked         1
    │   ├── NotEnrolled           not-enrolled              1
    │   ├── ClusterChanged        cluster-changed           1
    │   └── RbacInvalid           rbac-invalid              1
    ├── CommandRefused            command-refused           1
    │   └── ProxyRefused          proxy-refused             1
    ├── LoginNeeded               login-needed              4
    │   ├── InteractionRequired   interaction-required      4
    │   ├── StepUpDenied          denied                    4
    │   ├── StepUpExpired         expired                   4
    │   └── TokenRejected         token-rejected            4
    │       ├── TooWeak           too-weak                  4
    │       ├── NotFresh          not-fresh                 4
    │       └── WrongAccount      wrong-account             4
    ├── ProviderError             provider-error            1
    │   ├── ProviderUnreachable   provider-unreachable      1
    │   └── ProviderResponse      provider-response         1
    ├── CredentialWithheld        credential-withheld       1
    ├── StoreUnavailable          store-unavailable         1
    ├── LockTimeout               lock-timeout              1
    ├── AuditUnavailable          audit-unavailable         1
    ├── KubectlFailed             kubectl-failed            1
    │   ├── KubectlNotExecutable  kubectl-not-executable  126
    │   └── KubectlNotFound       kubectl-not-found       127
    ├── OutputFailed              output-failed             1
    ├── OutOfResources            out-of-resources          1
    ├── DemoFailed                demo-failed               1
    ├── InternalError             internal-error            1
    └── Cancelled                 cancelled               130

Messages are lower case, name the thing and its value, and have no final period; a hint is a command to type.
`exec` maps every code but 126, 127 and 130 to 125 (docs/reference/exit-codes.md).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class StepUpError(Exception):
    """The root of the tree; never raised itself."""

    code = "error"
    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details: dict[str, object] = dict(details or {})


class UsageError(StepUpError):
    """The command line cannot be understood."""

    code = "usage"
    exit_code = 2


class ConfigError(StepUpError):
    """A file of ours does not load; the message starts with `file:line:`."""

    code = "config-invalid"


class PolicyError(ConfigError):
    """A policy file does not load."""

    code = "policy-invalid"


class PolicyTooNew(PolicyError):
    """A policy wants a later version of this program."""

    code = "client-too-old"


class KubeconfigError(ConfigError):
    """A kubeconfig cannot be read, or has no such context, cluster or user."""

    code = "kubeconfig-invalid"


class KubeconfigLocked(ConfigError):
    """`<kubeconfig>.lock` exists: another program is writing the file, or left its lock behind."""

    code = "kubeconfig-locked"


class NotEnrolled(ConfigError):
    """No cluster in our config matches the kubeconfig context."""

    code = "not-enrolled"


class ClusterChanged(ConfigError):
    """The context's server, CA or proxy differs from the enrolled one."""

    code = "cluster-changed"


class RbacInvalid(ConfigError):
    """A file or an answer of kubectl that `rbac audit` reads is not valid RBAC."""

    code = "rbac-invalid"


class CommandRefused(StepUpError):
    """The command is refused: by policy, or for a flag that would send the elevated token elsewhere."""

    code = "command-refused"


class ProxyRefused(CommandRefused):
    """An elevated command would go through a proxy, whose answer could send the token to another server."""

    code = "proxy-refused"


class LoginNeeded(StepUpError):
    """There is no elevation session that satisfies the command."""

    code = "login-needed"
    exit_code = 4


class InteractionRequired(LoginNeeded):
    """A step-up is needed and no person can be prompted (RFC 9470 shape with `-o json`)."""

    code = "interaction-required"


class StepUpDenied(LoginNeeded):
    """The person or the provider denied the step-up (RFC 8628 section 3.5 `access_denied`)."""

    code = "denied"


class StepUpExpired(LoginNeeded):
    """Nobody approved in time (RFC 8628 section 3.5 `expired_token`)."""

    code = "expired"


class TokenRejected(LoginNeeded):
    """The ID token fails the strict check; it was discarded."""

    code = "token-rejected"


class TooWeak(TokenRejected):
    """The token does not show the evidence that the level asks for."""

    code = "too-weak"


class NotFresh(TokenRejected):
    """The sign-in behind the token is older than the level allows."""

    code = "not-fresh"


class WrongAccount(TokenRejected):
    """Another account approved."""

    code = "wrong-account"


class ProviderError(StepUpError):
    """The identity provider answered with an error (RFC 6749 section 5.2)."""

    code = "provider-error"


class ProviderUnreachable(ProviderError):
    """The identity provider cannot be reached."""

    code = "provider-unreachable"


class ProviderResponse(ProviderError):
    """The identity provider's answer is invalid or not allowed."""

    code = "provider-response"


class CredentialWithheld(StepUpError):
    """`credential` withheld a token: the request is not for the enrolled server."""

    code = "credential-withheld"


class StoreUnavailable(StepUpError):
    """A session store cannot be used."""

    code = "store-unavailable"


class LockTimeout(StepUpError):
    """Another process holds the step-up lock and did not finish in time."""

    code = "lock-timeout"


class AuditUnavailable(StepUpError):
    """The audit log cannot be written."""

    code = "audit-unavailable"


class KubectlFailed(StepUpError):
    """A kubectl that this program runs for itself failed (not the user's command)."""

    code = "kubectl-failed"


class KubectlNotExecutable(KubectlFailed):
    """The kubectl that was found cannot be executed."""

    code = "kubectl-not-executable"
    exit_code = 126


class KubectlNotFound(KubectlFailed):
    """There is no kubectl."""

    code = "kubectl-not-found"
    exit_code = 127


class OutputFailed(StepUpError):
    """Standard output cannot be written."""

    code = "output-failed"


class OutOfResources(StepUpError):
    """The operating system denies a resource: memory, space, descriptors, a file."""

    code = "out-of-resources"


class DemoFailed(StepUpError):
    """A step of the demo had another result than expected."""

    code = "demo-failed"


class InternalError(StepUpError):
    """A fault of this program; the message says where, without any data."""

    code = "internal-error"


class Cancelled(StepUpError):
    """Ctrl-C before the child started."""

    code = "cancelled"
    exit_code = 130
