"""Finding kubectl, becoming it, and running it as a child: exit codes, signals, terminal, descriptors."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_stepup.errors import CommandRefused, KubectlFailed, KubectlNotExecutable, KubectlNotFound
from kubectl_stepup.kubectl.process import answer, find, run


def program(path: Path, *, executable: bool = True) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(0o755 if executable else 0o644)
    return str(path)


def python(code: str) -> tuple[str, list[str]]:
    return sys.executable, ["-c", textwrap.dedent(code)]


class TestFind:
    def test_the_calling_kubectl_comes_first(self, tmp_path: Path) -> None:
        caller, other = program(tmp_path / "a" / "kubectl.real"), program(tmp_path / "b" / "kubectl")
        assert find({"KUBECTL_PATH": caller, "PATH": os.path.dirname(other)}) == caller

    @pytest.mark.parametrize("caller", ["", "kubectl", "./kubectl", "/does/not/exist"])
    def test_a_caller_that_is_none_is_passed_over(self, tmp_path: Path, caller: str) -> None:
        found = program(tmp_path / "kubectl")
        assert find({"KUBECTL_PATH": caller, "PATH": str(tmp_path)}) == found

    def test_the_working_directory_is_never_searched(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """PROC-16."""
        program(tmp_path / "here" / "kubectl")
        program(tmp_path / "here" / "bin" / "kubectl")
        found = program(tmp_path / "there" / "kubectl")
        monkeypatch.chdir(tmp_path / "here")
        assert find({"PATH": f":.:bin:./bin::{tmp_path / 'there'}:"}) == found

    def test_directories_and_files_that_cannot_be_executed_are_passed_over(self, tmp_path: Path) -> None:
        (tmp_path / "a" / "kubectl").mkdir(parents=True)
        program(tmp_path / "b" / "kubectl", executable=False)
        found = program(tmp_path / "c" / "kubectl")
        assert find({"PATH": f"{tmp_path / 'a'}:{tmp_path / 'b'}:{tmp_path / 'c'}"}) == found

    def test_a_link_to_ourselves_is_passed_over(self, tmp_path: Path) -> None:
        """PROC-16."""
        ourselves = program(tmp_path / "kubectl-stepup")
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "kubectl").symlink_to(ourselves)
        found = program(tmp_path / "b" / "kubectl")
        path = f"{tmp_path / 'a'}:{tmp_path / 'b'}"
        assert find({"PATH": path}, not_this=ourselves) == found
        assert find({"PATH": path}, not_this="/does/not/exist") == str(tmp_path / "a" / "kubectl")

    @pytest.mark.parametrize("name", ["kubectl-stepup", "kubectl_stepup-python"])
    @pytest.mark.parametrize("beside", ["program", "interpreter"])
    def test_a_link_to_what_is_installed_of_ours_is_passed_over(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: str, name: str
    ) -> None:
        """PROC-16: it would become us again."""
        installed = program(tmp_path / "ours" / name)
        if beside == "interpreter":
            monkeypatch.setattr(sys, "executable", program(tmp_path / "ours" / "python"))
        started = program(tmp_path / ("ours" if beside == "program" else "package") / "__main__.py")
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "kubectl").symlink_to(installed)
        found = program(tmp_path / "b" / "kubectl")
        assert find({"PATH": f"{tmp_path / 'a'}:{tmp_path / 'b'}"}, not_this=started) == found
        assert find({"PATH": f"{tmp_path / 'a'}:{tmp_path / 'b'}"}) == str(tmp_path / "a" / "kubectl")

    def test_nothing_found(self, tmp_path: Path) -> None:
        """PROC-16."""
        with pytest.raises(KubectlNotFound, match=r"^kubectl is not on PATH$") as caught:
            find({"PATH": str(tmp_path)})
        assert (caught.value.exit_code, caught.value.hint) == (127, "https://kubernetes.io/docs/tasks/tools/")

    def test_found_but_not_executable(self, tmp_path: Path) -> None:
        """PROC-16."""
        path = program(tmp_path / "kubectl", executable=False)
        with pytest.raises(KubectlNotExecutable, match=f"^{path} cannot be executed$") as caught:
            find({"PATH": str(tmp_path)})
        assert (caught.value.exit_code, caught.value.hint) == (126, f"chmod +x {path}")

    def test_the_wheel_is_only_used_when_asked_for(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        beside = program(tmp_path / "venv" / "kubectl")
        monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))
        with pytest.raises(KubectlNotFound):
            find({"PATH": "/does/not/exist"})
        assert find({"PATH": "/does/not/exist"}, also_wheel=True) == beside


class TestRun:
    @pytest.mark.parametrize("code", [0, 1, 2, 37, 125, 130, 255])
    def test_the_exit_code_is_the_childs(self, code: int) -> None:
        """PROC-01."""
        assert run("/bin/sh", ["-c", f"exit {code}"], os.environ) == code

    @pytest.mark.parametrize("name", ["KILL", "TERM", "SEGV", "PIPE", "QUIT", "HUP"])
    def test_a_child_that_a_signal_ended_gives_128_and_its_number(self, name: str) -> None:
        """PROC-01."""
        assert run("/bin/sh", ["-c", f"kill -{name} $$"], os.environ) == 128 + getattr(signal, f"SIG{name}")

    def test_the_environment_is_exactly_what_was_given(self, tmp_path: Path) -> None:
        run("/bin/sh", ["-c", f"/usr/bin/env > {tmp_path / 'out'}"], {"A": "1"})
        names = {line.partition("=")[0] for line in (tmp_path / "out").read_text().splitlines()}
        assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {"A"}

    @pytest.mark.parametrize("data", [b"", b"\x00\xff\r\nmanifest", b"x" * 3_000_000], ids=["none", "bytes", "much"])
    def test_bytes_reach_the_childs_standard_input(self, tmp_path: Path, data: bytes) -> None:
        out = tmp_path / "out"
        assert run("/bin/sh", ["-c", f"cat > {out}"], os.environ, stdin=(data,)) == 0
        assert out.read_bytes() == data

    def test_pieces_are_asked_for_as_the_child_reads_them(self, tmp_path: Path) -> None:
        """PROC-06."""
        out = tmp_path / "out"
        pieces = (bytes([number]) * 500_000 for number in range(100))
        assert run("/bin/sh", ["-c", f"cat > {out}"], os.environ, stdin=pieces) == 0
        assert out.read_bytes() == b"".join(bytes([number]) * 500_000 for number in range(100))

    def test_a_child_that_reads_nothing_is_no_error(self) -> None:
        assert run("/bin/sh", ["-c", "exit 3"], os.environ, stdin=(b"x" * 3_000_000,)) == 3

    def test_a_child_that_ends_is_not_kept_by_input_that_does_not(self) -> None:
        """PROC-06."""
        reading, writing = os.pipe()
        endless = iter(lambda: os.read(reading, 1), b"")
        try:
            assert run("/bin/sh", ["-c", "exit 3"], os.environ, stdin=endless) == 3
        finally:
            os.close(writing)

    def test_a_child_does_not_go_on_with_half_of_its_input(self) -> None:
        """PROC-06."""

        def broken() -> Iterator[bytes]:
            yield b"kind: Namespace\n"
            raise OSError("input/output error")

        assert run("/bin/sh", ["-c", "cat; sleep 60"], os.environ, stdin=broken()) == 128 + signal.SIGTERM

    @pytest.mark.parametrize("fault", [ValueError("x"), CommandRefused("too much")])
    def test_what_goes_wrong_while_it_is_read_ends_the_child_and_is_raised(self, fault: Exception) -> None:
        def broken() -> Iterator[bytes]:
            yield b"kind: Namespace\n"
            raise fault

        with pytest.raises(type(fault)) as caught:
            run("/bin/sh", ["-c", "cat; sleep 60"], os.environ, stdin=broken())
        assert caught.value is fault

    def test_a_descriptor_may_be_standard_input(self, tmp_path: Path) -> None:
        (tmp_path / "in").write_bytes(b"from a file")
        with open(tmp_path / "in", "rb") as stream:
            run("/bin/sh", ["-c", f"cat > {tmp_path / 'out'}"], os.environ, stdin=stream.fileno())
        assert (tmp_path / "out").read_bytes() == b"from a file"

    @pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
    def test_the_child_inherits_three_descriptors_and_what_is_passed(self, tmp_path: Path) -> None:
        """PROC-15."""
        with open(tmp_path / "leak", "w") as leak, open(tmp_path / "lent", "w") as lent:
            os.set_inheritable(leak.fileno(), True)
            path, argv = python(f"""
                import os
                names = [name for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{{name}}")]
                open({str(tmp_path / "out")!r}, "w").write(" ".join(sorted(names, key=int)))
            """)
            run(path, argv, os.environ, pass_fds=(lent.fileno(),))
            assert (tmp_path / "out").read_text().split() == ["0", "1", "2", str(lent.fileno())]

    @pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
    def test_a_kubeconfig_that_is_a_descriptor_is_handed_on(self, tmp_path: Path) -> None:
        """A caller's `KUBECONFIG=<(…)`."""
        (tmp_path / "overlay").write_text("kind: Config")
        with open(tmp_path / "overlay") as overlay:
            number = overlay.fileno()
            os.set_inheritable(number, True)
            names = f"/proc/self/fd/{number}:/dev/fd/{number}:/proc/self/fd/999:/proc/self/fd/x:/home/config"
            code = run(
                "/bin/sh",
                ["-c", f"cat /proc/self/fd/{number} > {tmp_path / 'out'}"],
                {"KUBECONFIG": names, "PATH": "/bin"},
            )
        assert (code, (tmp_path / "out").read_text()) == (0, "kind: Config")

    @pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
    def test_a_descriptor_that_the_words_name_is_handed_on_unless_it_is_ours(self, tmp_path: Path) -> None:
        """A caller's `--from-file=key=<(…)`."""
        (tmp_path / "content").write_text("named")
        with open(tmp_path / "content") as callers, open(tmp_path / "content") as ours:
            os.set_inheritable(callers.fileno(), True)
            words = (f"--from-file=key=/dev/fd/{callers.fileno()}", f"/dev/fd/{ours.fileno()}")
            script = f"for word; do cat ${{word##*=}} >> {tmp_path / 'out'}; echo >> {tmp_path / 'out'}; done"
            run("/bin/sh", ["-c", script, "sh", *words], {"PATH": os.environ["PATH"]})
        assert (tmp_path / "out").read_text().split() == ["named"]

    @pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
    def test_the_child_ignores_no_signal_and_blocks_none(self, tmp_path: Path) -> None:
        run("/bin/sh", ["-c", f"grep -E 'Sig(Ign|Blk)' /proc/self/status > {tmp_path / 'out'}"], os.environ)
        sets = {int(line.split()[1], 16) for line in (tmp_path / "out").read_text().splitlines()}
        # glibc keeps 32 and 33 for itself; GNU make hands them on ignored and blocked.
        assert {one & 0x7FFFFFFF for one in sets} == {0}

    def test_a_missing_program(self, tmp_path: Path) -> None:
        with pytest.raises(KubectlNotFound, match="kubectl could not be started: no such file or directory"):
            run(str(tmp_path / "kubectl"), [], os.environ)

    def test_a_program_that_cannot_be_executed(self, tmp_path: Path) -> None:
        with pytest.raises(KubectlNotExecutable, match="kubectl could not be started: permission denied"):
            run(program(tmp_path / "kubectl", executable=False), [], os.environ)
        (tmp_path / "garbage").write_bytes(b"\x00garbage")
        (tmp_path / "garbage").chmod(0o755)
        with pytest.raises(KubectlNotExecutable, match="exec format error"):
            run(str(tmp_path / "garbage"), [], os.environ)

    def test_signal_handlers_are_put_back(self) -> None:
        names = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)
        before = [signal.getsignal(name) for name in names]
        run("/bin/sh", ["-c", "exit 0"], os.environ)
        assert [signal.getsignal(name) for name in names] == before


class TestAnswer:
    """A kubectl that is run for its answer."""

    def test_it_gives_how_it_ended_and_what_it_wrote(self) -> None:
        path, words = python("import sys; sys.stderr.write('no'); print(sys.stdin.read()); sys.exit(3)")
        assert answer(path, words, dict(os.environ), stdin=b"asked", within_s=60) == (3, b"asked\n", b"no")

    def test_it_never_reads_our_terminal(self) -> None:
        path, words = python("import sys; print(repr(sys.stdin.read()))")
        assert answer(path, words, dict(os.environ), within_s=60) == (0, b"''\n", b"")

    def test_one_that_does_not_end_is_ended(self) -> None:
        path, words = python("import sys; sys.stdin.read(); import signal; signal.pause()")
        with pytest.raises(KubectlFailed, match=r"^kubectl -c did not end within 1s$"):
            answer(path, words, dict(os.environ), within_s=1)

    def test_one_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(KubectlNotFound):
            answer(str(tmp_path / "kubectl"), ["get"], {}, within_s=1)
