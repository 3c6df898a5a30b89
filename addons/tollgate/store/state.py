"""The state folder: where keys, the trail and the ledger last."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


class StateError(OSError):
    """The state folder, or a file in it, cannot be used; the message says which one and what helps."""


def state_folder(chosen: str = "", environ: Mapping[str, str] = os.environ) -> Path:
    """The state folder, made (0700) if it is not there. StateError where it cannot be written.

    It is the one chosen, else `$TOLLGATE_STATE`, else `tollgate` in the XDG state home
    (https://specifications.freedesktop.org/basedir-spec/latest/).
    """
    folder = Path(chosen or environ.get("TOLLGATE_STATE") or _default(environ))
    try:
        folder = folder.expanduser().absolute()
    except RuntimeError as e:  # as in a container under a user id of no name
        raise StateError(
            f"The state folder {folder} is nowhere: this user has no home. Set TOLLGATE_STATE to a folder."
        ) from e
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as e:
        raise StateError(
            f"The state folder {folder} cannot be written: {e.strerror}."
            " Set TOLLGATE_STATE to a folder of your own, which is made if it is not there."
        ) from e
    return folder


def _default(environ: Mapping[str, str]) -> Path:
    home = environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(home):  # the specification: a relative path is invalid and is to be ignored
        home = f"{environ.get('HOME') or '~'}/.local/state"
    return Path(home, "tollgate")
