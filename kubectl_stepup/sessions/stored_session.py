"""The stored form of an elevation session, readable without parsing JSON (fast path: the C library of Python alone).

Nine lines of ASCII, in this order, the last one closed by a newline::

    kubectl-stepup session 2
    identity={"account":…}         canonical JSON; the first 32 hex digits of its SHA-256 are the session id
    approved=<wall> <boottime> <boot id or ->
    until=<reuse> <token expiry>   seconds since the epoch
    rests_on=<SHA-256> <path> …    the files that it was evaluated with (rests_on.py)
    exec_info=<SHA-256> …          of the four KUBERNETES_EXEC_INFO values expected, in the order of `EXPECTED`
    cluster={"server":…}           the pin, for values that were not expected
    facts={"acr":…}                what people are shown, and what is revoked at logout
    status={"expirationTimestamp":…,"token":…}

The fast path answers from it with one digest and one concatenation. The CA bundle is not in it (its digest is), and
the token is in it once, because the kernel gives an unprivileged user 20,000 bytes for all keys together.
"""

from __future__ import annotations

from kubectl_stepup.digest import sha256_hex

MAGIC = "kubectl-stepup session 2"
NAMES = ("identity", "approved", "until", "rests_on", "exec_info", "cluster", "facts", "status")

EXPECTED = (("v1", False), ("v1", True), ("v1beta1", False), ("v1beta1", True))
"""(version, interactive) of the expected KUBERNETES_EXEC_INFO values, in the order of their digests."""

MIN_REMAINING_S = 10
"""A token with less life than this is not given out, and its `expirationTimestamp` is earlier by as much.

client-go runs the plugin again for every single request once `expirationTimestamp` is past, and a token that dies
between the plugin's answer and the API server's check costs the user a 401: ten seconds cover the way and a small
skew of clocks.
"""

CLOCK_TOLERANCE_S = 5
"""How much earlier than the approval the wall clock may read: NTP steps by less, a clock set back by hand by more."""


def id_of_identity(identity: str) -> str:
    """Return the session id of a canonical identity text: the first 32 hex digits of its SHA-256."""
    return sha256_hex(identity.encode("ascii"))[:32]


class Moment:
    """A point in time that survives a wall clock set back.

    `wall` is seconds since the epoch (UTC); `boottime` seconds that never go back, suspended time included;
    `boot_id` names the boot (empty where the platform does not tell).
    """

    __slots__ = ("boot_id", "boottime", "wall")

    def __init__(self, *, wall: float, boottime: float, boot_id: str = "") -> None:
        self.wall = wall
        self.boottime = boottime
        self.boot_id = boot_id

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Moment):
            return NotImplemented
        return (self.wall, self.boottime, self.boot_id) == (other.wall, other.boottime, other.boot_id)

    def __hash__(self) -> int:
        return hash((self.wall, self.boottime, self.boot_id))

    def __repr__(self) -> str:
        return f"Moment(wall={self.wall!r}, boottime={self.boottime!r}, boot_id={self.boot_id!r})"


def elapsed_s(approved: Moment, now: Moment) -> float | None:
    """Return the seconds between approval and `now`, or None when the clocks do not allow an answer.

    The larger of the two clocks counts, so that setting one back gains nothing; another boot, a boot-time clock or a
    wall clock that reads earlier than the approval (by more than `CLOCK_TOLERANCE_S`) gives None, which ends the
    session.
    """
    if now.boot_id != approved.boot_id or now.boottime < approved.boottime:
        return None
    if now.wall < approved.wall - CLOCK_TOLERANCE_S:
        return None
    return max(now.wall - approved.wall, now.boottime - approved.boottime)


def usable(*, approved: Moment, reuse_until: float, token_expires_at: float, now: Moment) -> bool:
    """Whether a session may still be used: reuse not over, token alive for `MIN_REMAINING_S` more."""
    elapsed = elapsed_s(approved, now)
    if elapsed is None:
        return False
    end = min(reuse_until, token_expires_at - MIN_REMAINING_S)
    return elapsed < end - approved.wall


class StoredSession:
    """The lines of a stored session; made by `read` alone, so that it is never half right."""

    __slots__ = (
        *("approved", "cluster", "exec_info", "facts", "identity"),
        *("rests_on", "reuse_until", "status", "token_expires_at"),
    )

    def __init__(self, lines: dict[str, str]) -> None:
        wall, boottime, boot_id = lines["approved"].split(" ")
        reuse_until, token_expires_at = lines["until"].split(" ")
        self.approved = Moment(wall=float(wall), boottime=float(boottime), boot_id="" if boot_id == "-" else boot_id)
        self.reuse_until = float(reuse_until)
        self.token_expires_at = float(token_expires_at)
        self.identity = lines["identity"]
        self.rests_on = lines["rests_on"]
        self.exec_info = tuple(lines["exec_info"].split())
        self.cluster = lines["cluster"]
        self.facts = lines["facts"]
        self.status = lines["status"]

    def __repr__(self) -> str:
        # NOTE: `status` and `facts` hold tokens; nothing of them is ever shown.
        return f"StoredSession(id={id_of_identity(self.identity)!r})"

    def usable(self, now: Moment) -> bool:
        """Whether the session may still be used at `now`."""
        return usable(
            approved=self.approved,
            reuse_until=self.reuse_until,
            token_expires_at=self.token_expires_at,
            now=now,
        )

    def version_expected(self, exec_info: bytes) -> str | None:
        """Return the version to answer with when the whole KUBERNETES_EXEC_INFO is an expected one, else None."""
        if not self.exec_info:
            return None
        digest = sha256_hex(exec_info)
        for (version, _), expected in zip(EXPECTED, self.exec_info, strict=False):
            if digest == expected:
                return version
        return None

    def credential(self, version: str) -> bytes:
        """Return the ExecCredential JSON in `version` ("v1" or "v1beta1"), closed by a newline."""
        head = f'{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/{version}","spec":{{}},"status":'
        return f"{head}{self.status}}}\n".encode("ascii")


def read(data: bytes, *, session_id: str) -> StoredSession | None:
    """Read a stored session; None where it is malformed or has another identity than `session_id`.

    An unreadable session costs the user one more prompt; a wrong one would cost more.
    """
    try:
        lines = data.decode("ascii").split("\n")
        if lines[0] != MAGIC or len(lines) != len(NAMES) + 2 or lines[-1]:
            return None
        values = {}
        for name, line in zip(NAMES, lines[1:], strict=False):
            if not line.startswith(f"{name}="):
                return None
            values[name] = line[len(name) + 1 :]
        found = StoredSession(values)
        times = (found.approved.wall, found.approved.boottime, found.reuse_until, found.token_expires_at)
        if any(time - time != 0 for time in times):  # an infinity, or not a number
            return None
        known = len(found.exec_info) in (0, len(EXPECTED)) and id_of_identity(found.identity) == session_id
    except ValueError:  # not ASCII, not a number, a field too many
        return None
    return found if known else None


def write(values: dict[str, str]) -> bytes:
    """Write a record from its lines' values (the names of `NAMES`).

    Raises:
        ValueError: a value holds a line break or is not ASCII; the callers give canonical JSON and numbers.
    """
    lines = [MAGIC, *(f"{name}={values[name]}" for name in NAMES)]
    if any("\n" in line for line in lines):
        raise ValueError("a record's value holds a line break")
    return "".join(f"{line}\n" for line in lines).encode("ascii")
