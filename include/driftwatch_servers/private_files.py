"""Files with secrets, which only their owner may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Writes the file so that nobody else can read it at any moment."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(handle, 0o600)  # a file that was there before would keep its mode
        file.write(text)


def check_private(path: Path, option: str) -> None:
    """Raises ValueError for a file that others than its owner may read or write."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ValueError(f"{option} {path}: others may read it (mode {mode:03o}); run chmod 600 {path}")
