import io
import sys
from pathlib import Path

import pytest

from tollgate.cli.files import read_bytes


def test_a_file_and_what_is_piped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"there")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"piped")))

    assert (read_bytes(file), read_bytes(Path("-"))) == (b"there", b"piped")
    with pytest.raises(OSError, match="No such file"):
        read_bytes(tmp_path / "none")
