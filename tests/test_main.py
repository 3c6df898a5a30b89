"""The command, as a console script and as a module."""

from __future__ import annotations

import runpy
import sys

import pytest

from tollgate import __version__
from tollgate.__main__ import main


def test_the_console_script_is_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["tollgate", "--version"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 0
    assert f"tollgate {__version__} on mitmproxy" in capsys.readouterr().out


def test_the_module_is_the_command_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["tollgate", "--version"])
    monkeypatch.delitem(sys.modules, "tollgate.__main__")

    with pytest.raises(SystemExit) as ended:
        runpy.run_module("tollgate", run_name="__main__")

    assert ended.value.code == 0
    assert __version__ in capsys.readouterr().out
