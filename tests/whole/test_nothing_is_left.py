"""After a run: no token in argv, environment, overlay, logs, home, temporary or runtime directories."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lab import Lab, opened_lab

if TYPE_CHECKING:
    from collections.abc import Iterator

PROC = Path("/proc")
pytestmark = pytest.mark.skipif(not PROC.exists(), reason="samples /proc")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path) as opened:
        yield opened


def secrets_of(lab: Lab) -> list[bytes]:
    """Give what must be nowhere: the tokens' signatures and device codes that this lab's provider gave out."""
    found = [device.device_code.encode() for device in lab.provider.devices]
    for form in lab.provider.forms("token"):
        found += [form["device_code"].encode(), form["code_verifier"].encode()]
    return found + [token.rpartition(".")[2].encode() for token in lab.provider.grants.issued]


class Sampler(threading.Thread):
    """Collects argv and environment of every process that appears while it runs."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[bytes] = set()
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            for process in PROC.iterdir():
                if process.name.isdigit() and int(process.name) != os.getpid():
                    for name in ("cmdline", "environ"):
                        try:
                            self.seen.add((process / name).read_bytes())
                        except OSError:
                            continue
            self.done.wait(0.005)


def test_no_secret_is_in_any_process_or_file(lab: Lab) -> None:
    sampler = Sampler()
    sampler.start()
    first = lab.stepup("exec", "--", "delete", "pod", "web-0")
    second = lab.stepup("exec", "--", "delete", "pod", "web-1")
    sampler.done.set()
    sampler.join()
    assert (first.code, second.code) == (0, 0)
    secrets = secrets_of(lab)
    assert len(secrets) >= 5
    assert any(b"web-1" in text for text in sampler.seen), "nothing was sampled"

    places = [lab.directory / name for name in ("home", "run", "tmp")]
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    texts = {str(path): path.read_bytes() for path in files}
    texts["screen"] = (first.screen + second.screen).encode()
    for name, text in texts.items():
        assert not [secret for secret in secrets if secret in text], name
    assert not [secret for secret in secrets for text in sampler.seen if secret in text]
    assert lab.audit_file in files


def test_the_run_leaves_no_file_but_the_record_locks_and_the_compiled_policy(lab: Lab) -> None:
    def files() -> set[str]:
        places = [lab.directory / name for name in ("home", "run", "tmp")]
        found = (path for place in places for path in place.rglob("*") if path.is_file())
        return {str(path.relative_to(lab.directory)) for path in found if ".kube/cache" not in str(path)}

    before = files()
    lab.stepup("exec", "--", "delete", "pod", "web-0")

    left = files() - before
    assert {Path(name).name for name in left if not name.endswith(".lock")} == {"audit.jsonl", "policy.compiled"}


def test_the_kubeconfig_is_not_touched(lab: Lab) -> None:
    kubeconfig = lab.directory / "home/.kube/config"
    before = (kubeconfig.read_bytes(), kubeconfig.stat().st_mtime_ns)

    lab.stepup("exec", "--", "delete", "pod", "web-0")

    assert (kubeconfig.read_bytes(), kubeconfig.stat().st_mtime_ns) == before
