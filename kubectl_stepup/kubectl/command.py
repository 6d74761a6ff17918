"""What a kubectl command is: read from its words, with the requests that it would send."""

from __future__ import annotations

from kubectl_stepup.kubectl.command_line import COMPLETION_WORDS, FALSE, TRUE, Malformed, read_line
from kubectl_stepup.kubectl.objects import manifests, selects
from kubectl_stepup.kubectl.proxied import reaches_proxy, read_path
from kubectl_stepup.kubectl.request import READS, SHOWS_CREDENTIALS, UNREAD, ObjectRef, ResourceAttributes
from kubectl_stepup.kubectl.requests import CONTAINERS, LOCAL, builder_of, completion_requests, requests_of
from kubectl_stepup.kubectl.resources import Resource
from kubectl_stepup.values import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_stepup.kubectl.command_line import CommandLine

REDIRECTING = (
    "server",
    "token",
    "user",
    "cluster",
    "username",
    "password",
    "client-certificate",
    "client-key",
    "certificate-authority",
    "insecure-skip-tls-verify",
    "tls-server-name",
    "proxy-url",
    "kuberc",
    "cache-dir",
    "as",
    "as-group",
    "as-uid",
    "as-user-extra",
)
"""Flags that change who calls, or which server is given the token.

A kuberc file can set all of the others. A cache directory says what words mean, and its answers, kept as the server's,
can redirect kubectl.
"""

_RUN_PROGRAMS = ("enable-helm", "enable-alpha-plugins", "enable-exec", "network")
_KUBECONFIG_READS = frozenset({"", "current-context", "get-clusters", "get-contexts", "get-users", "view"})
_DRY_RUNS = {"client": "client", "server": "server", "none": "none", "unchanged": "client"}

KUBECONFIG_CREDENTIALS = ResourceAttributes(
    verb="get",
    resource=Resource(group="", name="kubeconfig", namespaced=False, built_in=True),
    everywhere=True,
    marks=frozenset({SHOWS_CREDENTIALS}),
)
"""`config view --raw`: not a request, but it is read by policy as one that reads secrets."""


class KubectlCommand(Record):
    """A kubectl command, read.

    `known` is False for a word, a subcommand or a flag that kubectl does not have (it may be a plugin, an alias, or
    newer than we are), and where kubectl would reject the words; `problem` says which. `local`: nothing is sent.
    `traits` are `all`, `force`, `completion`, `kuberc`, `runs-programs`, `unread-manifest`. `object_count` is None
    where the server or an unread manifest decides. `namespace`, `context` and `kubeconfig` are kubectl's own flags;
    `redirecting` has the flags (with dashes) that say who calls, or which server gets the token. `reaches_proxy`: a
    request goes through a proxy subresource; `read_path` is its path where this program answers it in kubectl's place.
    """

    argv: tuple[str, ...]
    path: tuple[str, ...] = ()
    known: bool = True
    problem: str | None = None
    local: bool = False
    requests: tuple[ResourceAttributes, ...] = ()
    traits: frozenset[str] = frozenset()
    dry_run: str = "none"
    context: str | None = None
    namespace: str | None = None
    kubeconfig: str | None = None
    redirecting: tuple[str, ...] = ()
    all_namespaces: bool = False
    manifests: tuple[str, ...] = ()
    reads_stdin: bool = False
    object_count: int | None = 0
    starts_proxy: bool = False
    reaches_proxy: bool = False
    read_path: str | None = None
    edits_kubeconfig: bool = False
    line: CommandLine

    @property
    def name(self) -> str:
        """The command's words, or the unknown first word."""
        return " ".join(self.path)


def read(argv: Sequence[str]) -> KubectlCommand:
    """Read the words after `kubectl`. Never fails: what cannot be read is not `known`."""
    line = read_line(argv)
    command = KubectlCommand(
        argv=line.argv,
        path=line.path,
        context=line.last("context"),
        namespace=line.last("namespace") or None,
        kubeconfig=line.last("kubeconfig"),
        redirecting=_redirecting(line),
        all_namespaces=line.on("all-namespaces"),
        line=line,
    )
    if _names_kuberc(line):
        problem = "the file that --kuberc names can set every flag"
        return command.replace(known=False, problem=problem, traits=frozenset({"kuberc"}))
    if line.problem is not None:
        return command.replace(known=False, problem=line.problem)
    if line.on("help"):
        return command.replace(local=True)
    return _understood(command, None)


def with_objects(command: KubectlCommand, found: Sequence[ObjectRef]) -> KubectlCommand:
    """Return the command with the objects of its manifests, now that they have been read."""
    return _understood(command, tuple(found))


def _understood(command: KubectlCommand, expanded: Sequence[ObjectRef] | None) -> KubectlCommand:
    try:
        return _with_requests(command, expanded)
    except Malformed as malformed:
        return command.replace(known=False, problem=f"kubectl {command.name}: {malformed}")


def _with_requests(command: KubectlCommand, expanded: Sequence[ObjectRef] | None) -> KubectlCommand:
    line = command.line
    first = line.path[0] if line.path else ""
    if first in COMPLETION_WORDS:
        return command.replace(requests=completion_requests(line), traits=frozenset({"completion"}))
    if first in LOCAL or line.name in CONTAINERS:
        return _local(command)
    builder = builder_of(line)
    if builder is None:
        raise Malformed("unknown command")
    named = manifests(line)
    if (line.on("local") and not line.on("resolve")) or (line.name == "version" and line.on("client")):
        return command.replace(local=True, manifests=named, reads_stdin="-" in named)
    dry_run = "server" if line.name == "diff" else _dry_run(line)
    requests = requests_of(line, builder, expanded, dry_run)
    return command.replace(
        requests=requests,
        traits=_traits(line, requests),
        dry_run=dry_run,
        manifests=named,
        reads_stdin="-" in named,
        object_count=_count(requests),
        starts_proxy=line.path == ("proxy",),
        reaches_proxy=reaches_proxy(line, requests),
        read_path=read_path(line),
    )


def _local(command: KubectlCommand) -> KubectlCommand:
    line = command.line
    second = line.path[1] if len(line.path) > 1 else ""
    runs = line.path == ("kustomize",) and any(line.on(name) for name in _RUN_PROGRAMS)
    return command.replace(
        local=True,
        requests=(KUBECONFIG_CREDENTIALS,) if line.name == "config view" and line.on("raw") else (),
        traits=frozenset({"runs-programs"}) if runs else frozenset(),
        edits_kubeconfig=line.path[:1] == ("config",) and second not in _KUBECONFIG_READS,
    )


def _names_kuberc(line: CommandLine) -> bool:
    """Whether the command names a kuberc file.

    Spec: kubectl's `kuberc` package looks for the flag before flags are parsed, in all words up to `--`: even in one
    that is another flag's value.
    """
    words = line.argv[: line.argv.index("--")] if "--" in line.argv else line.argv
    return bool(line.all("kuberc")) or any(word == "--kuberc" or "--kuberc=" in word for word in words)


def _redirecting(line: CommandLine) -> tuple[str, ...]:
    if line.path[:1] == ("config",):
        return ()  # these flags say what is written, and nothing is sent
    given = (name for name in REDIRECTING if line.all(name) and name not in line.own)
    return tuple(f"--{name}" for name in given)


def _dry_run(line: CommandLine) -> str:
    """Return none, client or server; the last value counts.

    Spec: kubectl's `cmdutil.GetDryRunStrategy`.
    """
    value = line.last("dry-run")
    if value is None:
        return "none"
    if value in _DRY_RUNS:
        return _DRY_RUNS[value]
    if value in TRUE:
        return "client"
    if value in FALSE:
        return "none"
    raise Malformed(f"--dry-run={value} is not none, client or server")


def _traits(line: CommandLine, requests: Sequence[ResourceAttributes]) -> frozenset[str]:
    traits = set()
    chosen = selects(line) or line.on("all-namespaces")
    if chosen or line.on("prune") or any(entry.verb == "deletecollection" for entry in requests):
        traits.add("all")
    if line.on("force"):
        traits.add("force")
    if any(UNREAD in entry.marks for entry in requests):
        traits.add("unread-manifest")
    return frozenset(traits)


def _count(requests: Sequence[ResourceAttributes]) -> int | None:
    """Count the objects that the command names; a request without a name is for as many as there are."""
    counted = [entry for entry in requests if entry.verb not in READS] or requests
    if any(entry.name is None for entry in counted):
        return None
    return len({(entry.resource, entry.namespace, entry.name) for entry in counted})
