"""What is approved for one command serves that command's processes, and no other of the same user and terminal."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import opened_lab
from tests.support.warm_start import PROGRAM

if TYPE_CHECKING:
    from pathlib import Path

KUBECTL = """
import json, os, subprocess, sys, time
overlay = json.load(open(os.environ["KUBECONFIG"].partition(":")[0]))
server = json.load(open(os.environ["HOME"] + "/.kube/config"))["clusters"][0]["cluster"]
(plugin,) = [user["user"]["exec"] for user in overlay["users"]]
os.environ["KUBERNETES_EXEC_INFO"] = json.dumps({"apiVersion": plugin["apiVersion"], "kind": "ExecCredential",
    "spec": {"interactive": False, "cluster": {**server, "config": None}}})
command = [plugin["command"], *(plugin.get("args") or [])]
starts = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"
grandchild = [sys.executable, "-c", starts, *command]
# kubectl asks its plugin more than once, and a plugin of kubectl starts another kubectl.
found = [subprocess.run(one, stdout=subprocess.PIPE) for one in (command, command, grandchild)]
tokens = [json.loads(one.stdout)["status"]["token"].count(".") for one in found]
json.dump({"command": command, "info": os.environ["KUBERNETES_EXEC_INFO"], "tokens": tokens}, open("said.new", "w"))
os.rename("said.new", "said")
while not os.path.exists("tried"):
    time.sleep(0.02)
"""
SIBLING = """
import json, os, subprocess, time
while not os.path.exists("said"):
    time.sleep(0.02)
said = json.load(open("said"))
# A new approval could be had at this terminal; what was approved for another command cannot.
environ = os.environ | {"KUBERNETES_EXEC_INFO": said["info"], "CI": "true"}
done = subprocess.run(said["command"], env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True)
json.dump({"code": done.returncode, "out": done.stdout, "err": done.stderr}, open("tried.new", "w"))
os.rename("tried.new", "tried")
"""


@pytest.mark.parametrize(
    ("store", "flags", "hint"),
    [
        ("kernel", ["--level", "critical"], "can only be reached for one command"),
        ("kernel", ["--level", "mfa", "--once"], "nobody can be asked"),
        ("memory", ["--level", "mfa"], "nobody can be asked"),
        ("file", ["--level", "mfa", "--once"], "nobody can be asked"),
    ],
    ids=["askAgainAfter: 0s", "--once", "store: memory", "store: file, --once"],
)
def test_a_sibling_in_the_same_terminal_gets_nothing(tmp_path: Path, store: str, flags: list[str], hint: str) -> None:
    with opened_lab(tmp_path, store=store) as lab:
        directory = lab.directory / "bin"
        directory.mkdir()
        (directory / "kubectl").write_text(f"#!{sys.executable}\n{KUBECTL}")
        (directory / "kubectl").chmod(0o755)
        ours = shlex.join([*PROGRAM, "exec", *flags, "--", "get", "pods"])
        (directory / "sibling").write_text(f"#!{sys.executable}\n{SIBLING}")
        (directory / "sibling").chmod(0o755)

        ran = lab.terminal.run(
            ["sh", "-c", f"{directory / 'sibling'} & PATH={directory}:$PATH {ours}; code=$?; wait; exit $code"]
        )

        home = lab.directory / "home"
        tried = json.loads((home / "tried").read_text())
        assert ran.code == 0, ran.screen
        assert json.loads((home / "said").read_text())["tokens"] == [2, 2, 2]
        assert (tried["code"], tried["out"]) == (4, ""), tried
        assert hint in tried["err"]
        assert lab.provider.count("device") == 1
