from __future__ import annotations

import os
from pathlib import Path

import pytest

from tollgate.policy.problem import PolicyError
from tollgate.policy.schema import PolicyFile
from tollgate.policy.watch import Look, PolicySource, look


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "p.yaml"
    file.write_text("mode: observe\n")
    return file


def save(path: Path, text: str) -> None:
    """Save as most editors do: a new file, put in the old one's place."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def test_no_files_are_the_defaults_for_ever() -> None:
    source = PolicySource()
    assert source.current.file == PolicyFile()
    assert not source.check()
    assert (source.generation, source.problem) == (1, None)


def test_a_first_policy_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        PolicySource([tmp_path / "no.yaml"])


def test_a_file_that_did_not_change_is_not_read_again(path: Path) -> None:
    source = PolicySource([path])
    policy = source.current
    assert not source.check()
    assert source.current is policy


def test_a_saved_file_is_in_force_at_the_next_look(path: Path) -> None:
    source = PolicySource([path])
    old = source.current
    save(path, "mode: enforce\n")
    assert source.check()
    assert (source.current.file.mode, source.generation) == ("enforce", 2)
    assert old.file.mode == "observe"
    assert not source.check()


def test_any_of_several_files_counts(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "q.yaml"
    other.write_text("websocket: pass\n")
    source = PolicySource([path, other])
    save(other, "mode: enforce\n")
    assert source.check()
    assert (source.current.file.mode, source.current.file.websocket) == ("enforce", "refuse")


def test_an_invalid_file_leaves_the_old_policy_and_says_why_once(path: Path) -> None:
    source = PolicySource([path])
    save(path, "mode: enforced\n")
    assert not source.check()
    problem = source.problem
    assert problem is not None
    assert "p.yaml:1: mode:" in str(problem)
    assert (source.current.file.mode, source.generation) == ("observe", 1)
    assert not source.check()
    assert source.problem is problem


def test_a_mended_file_is_in_force_and_the_problem_gone(path: Path) -> None:
    source = PolicySource([path])
    save(path, "mode: enforced\n")
    source.check()
    save(path, "mode: enforce\n")
    assert source.check()
    assert (source.current.file.mode, source.problem) == ("enforce", None)


def test_a_file_that_vanishes_and_comes_back_is_read_again(path: Path) -> None:
    source = PolicySource([path])
    path.unlink()
    assert not source.check()
    assert "cannot be read" in str(source.problem)
    assert source.current.file.mode == "observe"
    path.write_text("mode: enforce\n")
    assert source.check()
    assert source.problem is None


def test_an_emptied_file_does_not_bring_the_defaults(path: Path) -> None:
    """An editor that saves in place empties the file before it writes it."""
    source = PolicySource([path])
    path.write_text("")
    assert not source.check()
    assert "is empty" in str(source.problem)
    assert source.current.file.mode == "observe"


def test_a_file_that_is_still_being_written_is_left_for_the_next_look(path: Path) -> None:
    """The second look, after it was read, finds it larger than the first."""

    class Growing(PolicySource):
        texts: tuple[str, ...] = ()

        def _look(self) -> Look:
            if self.texts:
                path.write_text(self.texts[0])
                self.texts = self.texts[1:]
            return super()._look()

    source = Growing([path])
    source.texts = ("mode: enforce\n", "mode: enforce\nwebsocket: pass\n")
    assert not source.check()
    assert (source.current.file.mode, source.problem) == ("observe", None)
    assert source.check()
    assert (source.current.file.mode, source.current.file.websocket) == ("enforce", "pass")


def test_a_file_of_the_same_size_and_time_is_known_by_being_another_one(path: Path) -> None:
    source = PolicySource([path])
    times = path.stat()
    new = path.with_suffix(".new")
    new.write_text("mode: enforce\n")
    os.utime(new, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert new.stat().st_size == times.st_size
    new.replace(path)
    assert source.check()


def test_what_is_not_there_has_no_look(tmp_path: Path) -> None:
    assert look(tmp_path / "no.yaml") is None


def test_a_file_that_the_policy_names_counts_once_it_has_changed_and_is_there(
    path: Path, tmp_path: Path
) -> None:
    secret, rules = tmp_path / ".env", tmp_path / "rules.toml"
    secret.write_text("A=1")
    rules.write_text("")
    save(path, f"detection: {{known_values: {{files: [{secret}]}}, secrets: {{rules: [{rules}]}}}}")
    source = PolicySource([path])
    policy = source.current
    assert not source.check()

    save(secret, "A=2")
    assert source.check()
    assert not source.check()
    secret.unlink()
    assert not source.check()
    secret.write_text("A=345")
    rules.write_text("# none")
    assert source.check()
    assert not source.check()
    assert (source.current, source.generation) == (policy, 1)


@pytest.mark.parametrize(
    "names", ["detection: {{known_values: {{files: [{}]}}}}", "cost: {{prices: {{overlays: [{}]}}}}"]
)
def test_files_that_a_new_policy_names_are_looked_at(path: Path, tmp_path: Path, names: str) -> None:
    named = tmp_path / "named"
    named.write_text("A=1")
    source = PolicySource([path])
    save(path, names.format(named))
    assert source.check()
    assert not source.check()

    save(named, "A=2345")

    assert source.check()
