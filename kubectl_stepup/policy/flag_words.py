"""Which of kubectl's flags take the next word as their value, as written on a command line."""

from __future__ import annotations

from kubectl_stepup.policy.grammar import LIST, VALUE, Flags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def takes_next_word(path: str) -> Callable[[str], bool]:
    """Give a test for the flags of the command `path` (`rollout status`), as written: `-n`, `-itn`, `--selector`.

    Spec: pflag; a combined group of short flags takes the next word only when its last letter wants a value.
    """
    flags = Flags(path).with_help()

    def takes(word: str) -> bool:
        if "=" in word:
            return False
        if word.startswith("--"):
            flag = flags.named(word[2:])
            return flag is not None and flag.kind in (VALUE, LIST)
        for place, letter in enumerate(word[1:], start=2):
            flag = flags.short(letter)
            if flag is not None and flag.kind in (VALUE, LIST):
                return place == len(word)
        return False

    return takes
