"""The structure of the project: who may import whom, and what every module has."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "addons" / "tollgate"
DOORS = sorted(PACKAGE.rglob("__init__.py"))
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p.name != "__init__.py")

SHARED = {"calls", "dialects", "providers", "policy", "store"}
"""What any room may use. The vocabulary and the tables know nothing of the rooms."""
MAY_USE = {
    "calls": {"calls", "dialects", "policy", "providers", "store"},  # the last four for their types only
    "store": set[str](),
    "dialects": {"calls"},
    "providers": {"calls"},
    "policy": {"calls", "providers"},
    "access": SHARED,
    "trail": SHARED,
    "upstream": SHARED,
    "dlp": SHARED,
    "routing": SHARED,
    "gate": {*SHARED, "access", "dlp", "trail", "upstream"},
    "cli": {*SHARED, "dlp", "gate", "routing", "trail", "upstream"},
}
"""Rooms never import each other: they meet in calls/. The gate and the command put them together."""


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def rooms_used(path: Path) -> set[str]:
    ours = (module.split(".") for module in imports(path) if module.startswith("tollgate."))
    return {parts[1] for parts in ours}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*/*.py")), ids=name)
def test_imports_follow_the_picture(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0]

    assert rooms_used(path) <= MAY_USE[room] | {room}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_every_module_has_its_test_file(path: Path) -> None:
    place = path.relative_to(PACKAGE)

    assert (ROOT / "tests" / place.parent / f"test_{place.stem.strip('_')}.py").exists()


@pytest.mark.parametrize("path", DOORS, ids=name)
def test_a_door_holds_no_logic(path: Path) -> None:
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr)

    assert all(isinstance(node, allowed) for node in ast.parse(path.read_text()).body)


def test_a_broad_except_stands_in_the_gate_only_and_once() -> None:
    broad = [
        path.relative_to(PACKAGE)
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and ast.unparse(node).startswith(("except:", "except Exc"))
    ]

    assert broad == [Path("gate/exchange.py")]


def test_the_mitmproxy_folder_holds_nothing_that_shadows_a_module() -> None:
    """mitmproxy puts a script's folder on the import path for the whole run."""
    found = {p.name for p in (ROOT / "addons").iterdir()} - {"__pycache__"}

    assert found == {"suite.py", "tollgate"}
