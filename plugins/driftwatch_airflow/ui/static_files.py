"""Style, scripts and the chart library of the pages. Their address has a digest of what they hold, so that a browser asks for each once."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path

from fastapi import HTTPException
from starlette.responses import FileResponse, Response

from driftwatch.view.report import TEMPLATES

STATIC = Path(__file__).parent / "static"
REPORT_CSS = TEMPLATES / "report.css"
_FILES = {
    "driftwatch.css": "text/css",
    "driftwatch.js": "text/javascript",
    "theme.js": "text/javascript",
    "charts.js": "text/javascript",
    "charts/features.js": "text/javascript",
    "charts/fetch.js": "text/javascript",
    "charts/kinds.js": "text/javascript",
    "charts/plot.js": "text/javascript",
    "charts/tables.js": "text/javascript",
    "report.css": "text/css",
    "tables.css": "text/css",
    "evidence.css": "text/css",
    "map.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "uplot/uPlot.iife.min.js": "text/javascript",
    "uplot/uPlot.min.css": "text/css",
}
_DIGEST = re.compile(r"^[0-9a-f]{16}/")
_FOR_EVER = "public, max-age=31536000, immutable"


def _path(name: str) -> Path:
    return REPORT_CSS if name == "report.css" else STATIC / name


@lru_cache(maxsize=1)
def folder() -> str:
    """The folder of the files in the pages' addresses: another one where any file holds something else."""
    found = hashlib.sha256()
    for name in sorted(_FILES):
        data = _path(name).read_bytes()
        found.update(f"{name} {len(data)} ".encode() + data)
    return f"static/{found.hexdigest()[:16]}"


def give_file(name: str) -> Response:
    """One of the files. They are the package's own and say nothing of a monitor, so whoever is not logged in gets them too: the page that asks
    for a login looks like one.

    Without the digest, or with that of another version of Driftwatch, today's file is given, and the browser asks again each time.
    """
    plain = _DIGEST.sub("", name)
    if plain not in _FILES:
        raise HTTPException(404, "There is no such file.")
    kept = f"static/{name}" == f"{folder()}/{plain}"
    headers = {"Cache-Control": _FOR_EVER if kept else "no-cache"}
    return FileResponse(_path(plain), media_type=_FILES[plain], headers=headers)
