from __future__ import annotations

from tollgate.policy.problem import Mark, PolicyError, Problem, Unfit, write_key


def test_a_problem_reads_like_a_compilers() -> None:
    problem = Problem(Mark("a.yaml", 3, 7), "rules[2].set.mode", "this is wrong")
    assert str(problem) == "a.yaml:3: rules[2].set.mode: this is wrong"


def test_a_problem_of_a_whole_file_has_neither_line_nor_key() -> None:
    assert str(Problem(Mark("a.yaml"), "", "cannot be read")) == "a.yaml: cannot be read"


def test_an_error_tells_its_problems_in_the_order_of_the_files_lines() -> None:
    late, early = Problem(Mark("a", 10), "b", "late"), Problem(Mark("a", 9), "a", "early")
    error = PolicyError([late, early])
    assert error.problems == [early, late]
    assert str(error) == "a:9: a: early\na:10: b: late"


def test_a_key_is_written_as_people_write_it() -> None:
    assert write_key(("rules", 2, "when", "headers", "x-team")) == "rules[2].when.headers.x-team"
    assert write_key(()) == ""


def test_what_a_room_cannot_use_names_its_key() -> None:
    unfit = Unfit(("detection", "entities", 1), "there is no entity 'X'")

    assert str(unfit) == "detection.entities[1]: there is no entity 'X'"
    assert unfit.path == ("detection", "entities", 1)
