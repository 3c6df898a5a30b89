"""What `tollgate dlp` shows of files and policies, and that it never shows a value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from support.detection import compiled
from support.pdfs import page_of
from tollgate.cli.dlp import Row, app, hint, outcome, rows_of
from tollgate.cli.main import app as tollgate
from tollgate.dlp.equipment import build_examiner
from tollgate.dlp.examine import Examiner
from tollgate.dlp.sight import Found
from tollgate.dlp.span import Span
from tollgate.policy.dlp import Action, Detection, Dlp
from tollgate.store import Digester

EMAIL = "ada.lovelace@analytical-engines.io"
CARD = "4111 1111 1111 1111"
PASSWORD = "Vk3xw9Q!zz"
TEXT = f"Hello,\nwrite to {EMAIL}, charge {CARD}\nDB_PASSWORD={PASSWORD}\n"
SEALED = b"7z\xbc\xaf\x27\x1c" + bytes(64)
"""The beginning of an archive of a kind that cannot be read."""


@pytest.fixture(scope="module")
def examiner() -> Examiner:
    return build_examiner(Detection(), compiled(), Digester(bytes(32)))


def run(*words: str | Path, stdin: str = "") -> Result:
    """What a command does that keeps its state among the tests' compiled patterns."""
    command = [str(word) for word in (*words, "--state", compiled())]
    return CliRunner(env={"COLUMNS": "180"}).invoke(app, command, input=stdin)


def policy(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text)
    return path


def told(rows: list[Row]) -> list[tuple[object, ...]]:
    return [(row.line, row.column, row.entity, row.view, row.action) for row in rows]


# -- what is found -----------------------------------------------------------------------------------------


def test_findings_have_their_line_column_and_action(examiner: Examiner) -> None:
    rows = rows_of("a.txt", TEXT.encode(), examiner, Dlp(actions={"CREDIT_CARD": "block"}))

    assert told(rows) == [
        (2, 10, "EMAIL_ADDRESS", "", "replace"),
        (2, 53, "CREDIT_CARD", "", "block"),
        (3, 13, "SECRET", "", "replace"),
    ]
    assert rows[2].rule
    assert [row.hint for row in rows] == ["ad… (34)", "41… (19)", "Vk… (10)"]


def test_an_encoded_value_stands_where_its_encoding_does(examiner: Examiner) -> None:
    encoded = b"x\naGVsbG8gYm9iQGFjbWUuY29tIGlzIG15IGFkZHJlc3M= bob%40acme.com"
    base64, percent = rows_of("a.txt", encoded, examiner, Dlp())

    assert (base64.line, base64.column, base64.action, base64.hint) == (2, 1, "block", "")
    assert "base64" in base64.view
    assert (percent.line, percent.column, percent.view, percent.action) == (2, 46, "percent", "replace")


def test_findings_in_documents_have_no_line(examiner: Examiner) -> None:
    pdf = page_of(f"mail {EMAIL} again {EMAIL}")

    assert told(rows_of("a.pdf", pdf, examiner, Dlp())) == [(None, None, "EMAIL_ADDRESS", "pdf", "block")]


def test_text_in_another_charset_is_read_as_a_document(examiner: Examiner) -> None:
    (row,) = rows_of("a.txt", f"mail {EMAIL}".encode("utf-16"), examiner, Dlp())

    assert (row.line, row.entity) == (None, "EMAIL_ADDRESS")


@pytest.mark.parametrize(
    ("direct", "droppable", "action", "on_unrewritable", "expected"),
    [
        (True, True, "mask", "block", "mask"),
        (False, True, "mask", "block", "block"),
        (False, True, "mask", "drop_part", "drop_part"),
        (False, False, "mask", "drop_part", "block"),
        (False, False, "mask", "allow", "allow"),
        (False, True, "report", "block", "report"),
        (False, True, "ignore", "block", "ignore"),
        (False, True, "block", "allow", "block"),
    ],
)
def test_what_cannot_be_rewritten_has_an_outcome_of_its_own(
    direct: bool, droppable: bool, action: Action, on_unrewritable: str, expected: str
) -> None:
    dlp = Dlp.model_validate({"actions": {"URL": action}, "on_unrewritable": on_unrewritable})

    assert outcome(Found(Span(0, 9, "URL", 1.0), direct, ""), dlp, droppable=droppable) == expected


@pytest.mark.parametrize(
    ("value", "shown"),
    [("abcdefgh", "ab… (8)"), ("abcdefg", "a… (7)"), ("abc", "… (3)"), ("\n\x1bcdefgh", "··… (8)")],
)
def test_a_hint_shows_a_quarter_at_most_and_two_characters(value: str, shown: str) -> None:
    assert hint(value) == shown


# -- scan --------------------------------------------------------------------------------------------------


def test_scan_shows_a_table_without_values(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text(TEXT)
    result = run("scan", file)

    assert result.exit_code == 0, result.output
    assert [word in result.output for word in ("2:10", "EMAIL_ADDRESS", "3:13", "Vk… (10)")] == [True] * 4
    assert not [value for value in (EMAIL, CARD, PASSWORD) if value in result.output]


def test_json_has_a_line_per_finding_without_values() -> None:
    result = run("scan", "--json", "--fail", stdin=TEXT)
    first, *others = map(json.loads, result.stdout.splitlines())

    assert result.exit_code == 1
    assert first == {
        "file": "-",
        "line": 2,
        "column": 10,
        "entity": "EMAIL_ADDRESS",
        "rule": "",
        "score": 1.0,
        "view": "",
        "action": "replace",
    }
    assert [each["entity"] for each in others] == ["CREDIT_CARD", "SECRET"]
    assert not [value for value in (EMAIL, CARD, PASSWORD) if value in result.output]


def test_what_a_policy_ignores_or_leaves_out_fails_nothing(tmp_path: Path) -> None:
    rules = "dlp: {actions: {EMAIL_ADDRESS: ignore, SECRET: ignore}}\ndetection: {without: [CREDIT_CARD]}\n"
    result = run("scan", "-", "--fail", "--policy", policy(tmp_path, rules), stdin=TEXT)

    assert result.exit_code == 0
    assert "ignore" in result.output
    assert "CREDIT_CARD" not in result.output


def test_a_file_that_cannot_be_used_is_named_and_the_others_are_scanned(tmp_path: Path) -> None:
    sealed, good, absent = tmp_path / "a.7z", tmp_path / "b.txt", tmp_path / "c.txt"
    sealed.write_bytes(SEALED)
    good.write_text("nothing in it")
    result = run("scan", sealed, good, absent)

    assert result.exit_code == 2
    assert not result.stdout, "not all was looked into"
    assert [line.split(": ", 1)[0] for line in result.stderr.splitlines()] == [str(sealed), str(absent)]
    assert result.stderr.endswith("c.txt: No such file or directory\n")


@pytest.mark.parametrize("command", ["scan", "explain"])
@pytest.mark.parametrize(
    ("text", "complaint"),
    [("detektion: {}\n", "policy.yaml:1: detektion"), ("detection: {countries: [xx]}\n", "no country 'xx'")],
)
def test_a_policy_that_cannot_be_used_is_an_error(
    tmp_path: Path, command: str, text: str, complaint: str
) -> None:
    result = run(command, "--policy", policy(tmp_path, text))

    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stdout == ""


# -- explain -----------------------------------------------------------------------------------------------


def cells(output: str, name: str) -> list[str]:
    """A row of the tables."""
    line = next(line for line in output.splitlines() if name in line)
    return [cell.strip() for cell in line.strip("│ ").split("│")]


def test_explain_lists_entities_and_rules_with_their_actions(tmp_path: Path) -> None:
    text = """\
dlp:
  enabled: true
  actions: {PERSONAL: mask, US_SSN: block, connection-string: report, DE_TAX_ID: hash}
detection:
  thresholds: {EMAIL_ADDRESS: 0.7}
  without: [IBAN_CODE]
  patterns: [{name: EMPLOYEE_ID, regex: 'E-\\d{6}'}]
  known_values: {environment: [NO_SUCH_VARIABLE]}
"""
    result = run("explain", "--policy", policy(tmp_path, text))

    assert result.exit_code == 0, result.output
    assert cells(result.output, "EMAIL_ADDRESS") == ["EMAIL_ADDRESS", "0.70", "mask"]
    assert cells(result.output, "US_SSN") == ["US_SSN", "0.40", "block"]
    assert cells(result.output, "EMPLOYEE_ID") == ["EMPLOYEE_ID", "0.40", "mask"]
    assert cells(result.output, "connection-string") == ["connection-string", "medium", "report"]
    assert cells(result.output, "other rules")[1:] == ["medium", "replace"]
    assert "IBAN_CODE" not in result.output
    assert "dlp.actions has it: DE_TAX_ID\n" in result.output
    assert "dlp.enabled" not in result.output


def test_explain_lists_what_is_done_in_answers_where_these_are_looked_into(tmp_path: Path) -> None:
    text = """\
dlp:
  enabled: true
  answers: {scan: true, actions: {US_SSN: mask, connection-string: block, UUID: mask}}
"""
    result = run("explain", "--policy", policy(tmp_path, text))

    assert result.exit_code == 0, result.output
    assert cells(result.output, "US_SSN") == ["US_SSN", "0.40", "replace", "mask"]
    assert cells(result.output, "EMAIL_ADDRESS")[2:] == ["replace", "report"]
    assert cells(result.output, "connection-string")[2:] == ["replace", "block"]
    assert cells(result.output, "other rules")[1:] == ["medium", "replace", "report"]
    assert "dlp.answers.actions has it: UUID\n" in result.output


def test_explain_says_where_nothing_is_looked_into() -> None:
    result = CliRunner().invoke(tollgate, ["dlp", "explain", "--state", str(compiled())])

    assert result.exit_code == 0, result.output
    assert "dlp.enabled is off" in result.output
    assert int(cells(result.output, " rules ")[0].split()[0]) > 100


@pytest.mark.parametrize(
    ("command", "key", "setting"),
    [
        ("scan", "known_values.files[0]", "known_values: {files: [there-is-none]}"),
        ("scan", "secrets.rules[0]", "secrets: {rules: [there-is-none]}"),
        ("explain", "secrets.rules[0]", "secrets: {rules: [there-is-none]}"),
    ],
)
def test_a_file_that_a_policy_names_and_that_is_not_there_is_told_with_its_place(
    command: str, key: str, setting: str, tmp_path: Path
) -> None:
    path = policy(tmp_path, f"detection:\n  {setting}\n")

    result = run(command, "--policy", path)

    assert result.exit_code == 2
    assert f"{path}:2: detection.{key}: there-is-none" in result.output
    assert "cannot be read: No such file or directory" in result.output


def test_in_a_narrow_terminal_nothing_is_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text(EMAIL)

    result = CliRunner(env={"COLUMNS": "60"}).invoke(app, ["scan", str(file), "--state", str(compiled())])

    assert "EMAIL_ADDRESS" in "".join(
        line.split("│")[3].strip() for line in result.output.splitlines() if "│" in line
    )
