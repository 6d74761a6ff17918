"""The catalogue of what may be tried or go wrong; every number stands in a test of its own.

`grep -rn IDT-07 tests` finds the tests of one case: they name it in an id or a docstring.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent

ID_TOKEN = """
01 alg none in any spelling, or no signature
02 HMAC with the public key
03 a signature that is wrong, or all zero
04 an algorithm that is not enrolled
05 a key in the header
06 a key's address in the header
07 crit and b64
08 an unknown key id: one refetch, then refused
09 a key rotated a moment ago: found
10 random key ids: at most one refetch a minute
11 no key id: every key is tried
12 unusable keys beside the good one: accepted
13 a key set that is empty, endless, or HMAC
14 two keys of one name: both are tried
15 a key that is too small, or for encryption
16 another issuer, however alike
17 another audience, however alike
18 several audiences, and the authorised party
19 an expiry that is past, malformed or too far
20 issued or valid in the future, or long ago
21 a clock that is off
22 another account, however alike
23 no acr, or another, or one of an unexpected type
24 a weaker acr of several that were asked for
25 no order among acr values but the declared one
26 amr alone
27 a sign-in that is too old
28 no time of the sign-in, or a malformed one
29 a sign-in from before a fresh request
30 an old session that answers at once
31 a nonce that is missing or another
32 the hash of another access token
33 a token of another type
34 a member that is there twice
35 JSON that is malformed, deep or large
36 a large header: accepted
37 every other form of a token
38 a stored token of another issuer or client
39 a stored session is evaluated at each use
40 claims with control characters: accepted, shown escaped
"""
DEVICE_FLOW = """
01 pending, then a token
02 slow_down, once and often
03 an interval that is absent or malformed
04 a lifetime that is absent or malformed
05 each final error, and errors of unexpected types
06 a 400 without an error
07 a 200 with an error
08 errors of the server for a while
09 connections that fail, and a machine that sleeps
10 a captive portal's page
11 answers that are malformed, large or endless
12 redirects
13 a token response without its members
14 a verification address that could mislead
15 a complete address on another host
16 a user code that could mislead
17 a device code that is endless or none
18 a wall clock that jumps
19 nobody acts
20 Ctrl-C while waiting
21 no device flow, or not for this client
22 acr_values that are ignored
23 a device code or a token used twice
24 somebody else approves
25 what was typed ahead
26 nobody can be asked
27 three codes in a row that nobody approved
28 codes in what is shown and recorded
30 proxy, CA, netrc and TLS key log of the environment
"""
"""Number 29 is about the loopback listener of an authorization code flow, which this program does not have."""

DISCOVERY = """
01 another issuer in the document
02 an issuer that is not https
03 endpoints elsewhere
04 redirects
05 a document that is malformed, deep or large
06 an endpoint that moved
07 the provider is down, a session lives
08 a certificate that proves nothing
09 an acr that the provider does not name
10 the answer of one provider, used for another
"""

PROCESSES = """
01 every exit code, and 128+n
02 Ctrl-C is kubectl's to decide
03 signals are handed on once
04 a reader that goes away
05 Ctrl-Z, a terminal that changes its size, a job in the background
06 a hundred million bytes of standard input
07 standard output is kubectl's own, byte for byte
08 the plugin writes one ExecCredential alone
09 the plugin ends with its kubectl
10 we are killed while kubectl runs
11 argv and environment of every process
12 core files
13 tracebacks, and every verbosity
14 missing streams, homes, languages
15 kubectl's descriptors
16 kubectls that are hostile, missing, or start another
17 libraries in the working directory
18 a short timeout and a long approval
19 an elevated command inside another
20 full disks, no descriptors, no memory
"""
CONCURRENCY = """
01 twenty at once: one request, one prompt
02 the same with a session that has expired
03 one denial for all that wait
04 a leader that is killed
05 a leader that hangs, a provider that fails
06 a kubectl that starts its plugin again and again
07 two levels, two clusters: one prompt at a time
08 ten processes that write one session
09 a lock that is not a file of ours
10 logout while twenty wait
11 whoever waits is told for whom
12 an hour of polling with nobody there
"""
STORES = """
01 no keyring at all
02 a keyring that keeps nothing
03 a keyring that the environment names wrongly
04 code that the environment names as a keyring
05 a locked keyring, a dialog that is dismissed or never answered
06 a bus that is dead or mute, a keyring that is killed or hangs while it writes
07 values larger than an item
08 parts that are missing, exchanged, of another value, or too many
09 killed at every write
10 killed between removing an item and adding it
11 an item that somebody else added meanwhile
12 a value that is none of ours
13 an end of reuse or of the token, and a clock that is set back
14 an approval later than now
15 a session of another issuer, client, account, cluster or level
16 levels that are weaker or stronger
17 two terminals, and the user's scope
18 a session leader's process id that is used again
19 another boot, and the end of a login session
20 a logout that cannot remove everything
21 a runtime directory that is missing, or not ours alone
22 a full kernel keyring
23 a key that is not possessed
24 secrets on the disk or in shared memory
"""
KUBECONFIG = """
01 a context, its cluster and its user in three files
02 a file that cannot be written
03 a lock that is there already
04 comments, line ends, anchors and unknown fields
05 twice, and taken out again
06 killed at each step
07 many writers at once, kubectl among them
08 a file that is large, deep, explosive, or runs code
09 entries that are missing, repeated or of another type
10 everyday users of every kind
11 an elevated user with credentials of its own
12 ways to the server that were not enrolled
13 a server or CA that changed since it was enrolled
14 the plugin asked for another server's token
15 a stanza that was copied to an attacker's file
16 what a run leaves behind, however it ends
17 no memory files
"""

CATALOGUES = {
    "IDT": ID_TOKEN,
    "DEV": DEVICE_FLOW,
    "DIS": DISCOVERY,
    "PROC": PROCESSES,
    "CONC": CONCURRENCY,
    "CACHE": STORES,
    "KCFG": KUBECONFIG,
}
CASES = [
    (f"{letters}-{line[:2]}", line[3:]) for letters, text in CATALOGUES.items() for line in text.strip().splitlines()
]
NUMBER = re.compile(rf"\b(?:{'|'.join(CATALOGUES)})-\d\d\b")


@pytest.fixture(scope="module")
def named() -> set[str]:
    """Return the numbers that tests other than this one name."""
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        if path != Path(__file__).resolve():
            found.update(NUMBER.findall(path.read_text(encoding="utf-8")))
    return found


@pytest.mark.parametrize("number", [number for number, _ in CASES], ids=[f"{number} {text}" for number, text in CASES])
def test_every_case_has_a_test_of_its_own(number: str, named: set[str]) -> None:
    assert number in named


def test_no_test_names_a_case_that_is_not_in_the_catalogue(named: set[str]) -> None:
    assert named <= {number for number, _ in CASES}
