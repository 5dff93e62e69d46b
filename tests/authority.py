"""Whose certificates the tests trust."""

from __future__ import annotations

from pathlib import Path

import certifi


def one_authority(folder: str) -> str:
    """A file with one certificate. Each client of httpx reads those of all authorities, which takes 25 ms of CPU; no test asks a host of theirs."""
    end = "-----END CERTIFICATE-----\n"
    path = Path(folder, "authority.pem")
    path.write_text(Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0] + end, encoding="utf-8")
    return str(path)
