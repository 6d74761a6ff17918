"""The terminal: it prompts a person, shows notices and the countdown. Standard output is never used.

Prompts go to standard error if that is a terminal, else to `/dev/tty`: clients such as k9s, Lens or client-python keep
standard error for themselves, and a prompt that nobody sees looks like a hang.

Spec: termios(3), tty_ioctl(4) for the foreground process group; https://no-color.org.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import shutil
import sys
import termios
from typing import TYPE_CHECKING, TextIO

from kubectl_stepup import environment
from kubectl_stepup.sanitise import safe
from kubectl_stepup.ui.browser import browser_note, browser_program, in_ci
from kubectl_stepup.ui.notices import ANOTHER_SESSION, BEHIND_TIMEOUT, IN_BACKGROUND
from kubectl_stepup.ui.outlets import StreamOutlet, TtyOutlet
from kubectl_stepup.ui.prompt import waiting_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_stepup.ui.outlets import Outlet

LINE_LIMIT = 4096

_CLEAR_LINE = "\r\x1b[K"

STYLES = (
    (re.compile(r"^Step-up(?: needed:)?", re.MULTILINE), "bold"),
    (re.compile(r"(?<=^  2\. Compare code  )\S+", re.MULTILINE), "bold"),
    (re.compile(r"(?<=^  2\. Enter code    )\S+", re.MULTILINE), "bold"),
    (re.compile(r"^Approved:", re.MULTILINE), "bold green"),
    (re.compile(r"^warning:", re.MULTILINE), "yellow"),
)
"""Pairs of a pattern and the rich style of its matches. Nothing is said by colour alone: only words are coloured."""


class Terminal:
    """A person's terminal. Only a foreground process prompts; a background job prompts nobody.

    `controlling` is for a process that another program started (`credential`): it prompts only if no full-screen
    program reads the terminal's keys. `stderr` None is `sys.stderr`.
    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        quiet: bool = False,
        verbose: bool = False,
        no_input: bool = False,
        controlling: bool = False,
        stderr: TextIO | None = None,
        tty_path: str = "/dev/tty",
    ) -> None:
        self._environ = environ
        self._quiet = quiet
        self._verbose = verbose
        self._no_input = no_input
        self._controlling = controlling
        self._stderr = stderr
        self._tty_path = tty_path
        self._tty: TtyOutlet | None = None
        self._shown: int | None = None

    def interactive(self) -> bool:
        """Whether a person can be prompted."""
        return self.obstacle() is None

    def obstacle(self) -> str | None:
        """Return why no person can be prompted: `--no-input`, `CI=true`, `no terminal`, …; None: one can."""
        if self._no_input:
            return "--no-input"
        if in_ci(self._environ):
            return f"CI={safe(self._environ[environment.CI], 20)}"
        outlet = self._outlet()
        if outlet is None or outlet.fd is None:
            return "no terminal"
        foreground = _foreground_group(outlet.fd)
        if foreground is None:
            return ANOTHER_SESSION
        if foreground != os.getpgrp():
            return BEHIND_TIMEOUT if _parent_is_timeout() else IN_BACKGROUND
        if self._controlling and _has_full_screen_program(outlet.fd):
            return "a full-screen program has the terminal"
        return None

    def line(self, text: str) -> None:
        """Write one notice to standard error, unless quiet."""
        if not self._quiet:
            self.warning(text)

    def warning(self, text: str) -> None:
        """Write one notice to standard error, also when quiet."""
        self._clear()
        self._write(StreamOutlet(self._stream()), text)

    def detail(self, text: str) -> None:
        """Write one step and its reason, if verbose."""
        if self._verbose:
            self.line(f"- {text}")

    def prompt(self, text: str) -> None:
        """Show what a person must act on, wherever they can see it, also when quiet."""
        outlet = self._outlet()
        if outlet is not None:
            self._clear()
            self._write(outlet, text)

    def interject(self, text: str) -> None:
        """Write one notice amid the output of a running child, in any terminal mode, also when quiet.

        It is on a line of its own; raw mode, as under `kubectl exec -it`, needs a carriage return for that.
        """
        outlet = self._outlet()
        if outlet is None:
            self._write(StreamOutlet(self._stream()), text)
        else:
            outlet.write(f"\r\n{safe(text, LINE_LIMIT)}\r\n")

    def countdown(self, seconds_left: float) -> None:
        """Redraw the waiting line every second; on a dumb terminal, write it once a minute.

        In the background (Ctrl-Z, `bg`) nothing is drawn: the line would overwrite the shell's.
        """
        outlet = self._outlet()
        if outlet is None or _in_background(outlet.fd):
            return
        if self._dumb():
            shown = math.ceil(max(0.0, seconds_left) / 60)
            text = waiting_line(seconds_left) + "\n"
        else:
            shown = int(max(0.0, seconds_left))
            text = "\r" + waiting_line(seconds_left)[: max(1, outlet.columns() - 1)] + "\x1b[K"
        if shown != self._shown:
            self._shown = shown
            outlet.write(text)

    def done(self) -> None:
        """Remove the waiting line."""
        self._clear()
        self._shown = None

    def flush_input(self) -> None:
        """Discard what was typed ahead, so that a one-time code never reaches a shell."""
        outlet = self._outlet()
        # In the background the kernel would stop us (SIGTTOU), and what is typed is not for us.
        if outlet is not None and outlet.fd is not None and _foreground_group(outlet.fd) == os.getpgrp():
            with contextlib.suppress(termios.error, OSError):
                termios.tcflush(outlet.fd, termios.TCIFLUSH)

    def browser_note(self) -> str | None:
        """Return why `open_browser` opens none; None: it does."""
        note = browser_note(self._environ, sys.platform)
        if note is None and self._browser() is None:
            return f"{browser_program(self._environ, sys.platform)} is not installed"
        return note

    def open_browser(self, url: str) -> None:
        """Open `url` (https only) in the person's graphical browser, if there is one; never in the terminal."""
        program = self._browser()
        if program is None or self.browser_note() is not None or not url.startswith("https://"):
            return
        nowhere = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
        # NOTE: xdg-open falls back to console browsers; in a session of its own one finds no terminal to take.
        with contextlib.suppress(OSError, NotImplementedError, ValueError):
            os.posix_spawn(program, [program, url], dict(self._environ), file_actions=nowhere, setsid=True)

    def _browser(self) -> str | None:
        name = browser_program(self._environ, sys.platform)
        program = shutil.which(name, path=self._environ.get("PATH", os.defpath))
        return program if program is not None and os.path.isabs(program) else None

    def _outlet(self) -> Outlet | None:
        stderr = StreamOutlet(self._stream())
        if stderr.fd is not None and os.isatty(stderr.fd):
            return stderr
        if self._tty is None:
            with contextlib.suppress(OSError):
                self._tty = TtyOutlet(self._tty_path)
        return self._tty

    def _stream(self) -> TextIO | None:
        return sys.stderr if self._stderr is None else self._stderr

    def _clear(self) -> None:
        if self._shown is not None and not self._dumb():
            outlet = self._outlet()
            if outlet is not None and not _in_background(outlet.fd):
                outlet.write(_CLEAR_LINE)

    def _write(self, outlet: Outlet, text: str) -> None:
        # The text was made safe before; this covers a part that was forgotten.
        clean = "\n".join(safe(line, LINE_LIMIT) for line in text.split("\n"))
        outlet.write(_coloured(clean) + "\n" if self._colours(outlet) else clean + "\n")

    def _colours(self, outlet: Outlet) -> bool:
        if self._environ.get(environment.NO_COLOR) or self._dumb():
            return False
        return bool(self._environ.get(environment.FORCE_COLOR)) or (outlet.fd is not None and os.isatty(outlet.fd))

    def _dumb(self) -> bool:
        return self._environ.get(environment.TERM, "") in ("", "dumb", "unknown")


def _foreground_group(fd: int) -> int | None:
    """Return the terminal's foreground process group; None if it is not our controlling terminal."""
    try:
        return os.tcgetpgrp(fd)
    except OSError:
        return None


def _in_background(fd: int | None) -> bool:
    return fd is not None and _foreground_group(fd) not in (None, os.getpgrp())


def _parent_is_timeout() -> bool:
    """Whether `timeout` started us: it creates its own process group, which no shell puts in the foreground."""
    try:
        with open(f"/proc/{os.getppid()}/comm", "rb") as name:
            return name.read().strip() == b"timeout"
    except OSError:
        return False


def _has_full_screen_program(fd: int) -> bool:
    """Whether a full-screen program reads the keys: one by one, without echo."""
    try:
        modes = termios.tcgetattr(fd)[3]
    except termios.error:
        return True
    return not (modes & termios.ICANON and modes & termios.ECHO)


def is_styled(text: str) -> bool:
    """Whether any style applies to `text`."""
    return any(pattern.search(text) for pattern, _ in STYLES)


def _coloured(text: str) -> str:
    if not is_styled(text):
        return text
    import io  # 50 ms with rich, and only prompts need it

    from rich.console import Console
    from rich.text import Text

    styled = Text(text, end="")
    for pattern, style in STYLES:
        styled.highlight_regex(pattern, style)
    rendered = io.StringIO()
    console = Console(
        file=rendered,
        force_terminal=True,
        color_system="standard",
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=True,  # an address broken in two cannot be clicked
        legacy_windows=False,
        no_color=False,
    )
    console.print(styled, end="")
    return rendered.getvalue()


def terminal_name() -> str | None:
    """Return the name of this process's terminal, or None."""
    for descriptor in (2, 0, 1):
        try:
            return os.ttyname(descriptor)
        except OSError:
            continue
    return None
