"""Where the tests keep compiled patterns: to compile them takes seconds, so it is done once in a run."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path


@cache
def compiled() -> Path:
    """A folder that lasts as long as the process."""
    folder = tempfile.mkdtemp(prefix="tollgate-compiled-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
