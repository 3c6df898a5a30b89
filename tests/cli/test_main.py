"""The command itself: what it says of itself."""

from __future__ import annotations

import subprocess
import sys

from mitmproxy import version as mitmproxy_version
from typer.testing import CliRunner

from tollgate import __version__
from tollgate.cli.main import app


def test_it_says_its_own_version_and_mitmproxys() -> None:
    result = CliRunner().invoke(app, ["--version"])

    assert result.exit_code == 0
    assert result.output == f"tollgate {__version__} on mitmproxy {mitmproxy_version.VERSION}\n"


def test_commands_that_need_no_proxy_begin_without_one() -> None:
    code = "import tollgate.cli.main, sys; sys.exit(bool({'mitmproxy.http', 'aiohttp'} & {*sys.modules}))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_a_command_it_says_what_there_is() -> None:
    result = CliRunner().invoke(app, [])

    assert "up" in result.output
    assert "policy" in result.output


def test_a_command_that_is_not_there_is_an_error() -> None:
    assert CliRunner().invoke(app, ["down"]).exit_code == 2
