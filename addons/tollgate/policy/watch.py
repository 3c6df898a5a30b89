"""Hot reload: the policy of some files, built anew when one of them changes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tollgate.policy.policy import Policy
from tollgate.policy.problem import Mark, PolicyError, Problem
from tollgate.policy.reader import load

type Look = tuple[tuple[int, int, int] | None, ...]


class PolicySource:
    """The policy that some files make. Whoever owns it calls `check` now and then; it has no thread."""

    def __init__(self, paths: Iterable[Path] = ()) -> None:
        """No files at all are the defaults. PolicyError where the files are no policy."""
        self.paths = tuple(paths)
        self._seen = self._look()
        self.current: Policy = load(self.paths)
        """The policy in force. Only ever replaced as a whole."""
        self._named = self._look_beside()
        self.problem: PolicyError | None = None
        """What is wrong with the files as they are now, while an older policy stays in force."""
        self.generation = 1
        """How many policies have been in force, this one included."""

    def check(self) -> bool:
        """Look at the files, and put them in force if they changed. True where a new policy is in force, or
        what the one in force names has changed; where they are no policy, the old one stays, and `problem`
        says why."""
        seen = self._look()
        if seen == self._seen:
            return self._changed_beside()
        try:
            refuse_empty(self.paths, seen)
            policy = load(self.paths)
        except PolicyError as e:
            self._seen, self.problem = seen, e
            return False
        if self._look() != seen:  # saved again, or still being written: the next check will tell
            return False
        self._seen, self.problem, self.current = seen, None, policy
        self._named = self._look_beside()
        self.generation += 1
        return True

    def _changed_beside(self) -> bool:
        """Whether files that the policy in force names have other contents. Such as are gone have none: what
        was secret stays so."""
        named = self._look_beside()
        if named == self._named or None in named:
            return False
        self._named = named
        return True

    def _look(self) -> Look:
        return tuple(map(look, self.paths))

    def _look_beside(self) -> Look:
        file = self.current.file
        return tuple(map(look, (*file.detection.files, *file.cost.prices.overlays)))


def refuse_empty(paths: Iterable[Path], seen: Look) -> None:
    """PolicyError where a file is empty. An editor that saves in place empties the file first, and for that
    moment it must not mean the defaults."""
    marks = [Mark(str(path)) for path, found in zip(paths, seen, strict=True) if found and not found[1]]
    if marks:
        raise PolicyError(
            [Problem(mark, "", "is empty, and does not replace a policy in force") for mark in marks]
        )


def look(path: Path) -> tuple[int, int, int] | None:
    """What shows that a file has changed: when, how large, and which one it is. None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
