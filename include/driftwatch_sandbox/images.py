"""Image server: the stand-in for presigned S3 links when images lie on file:// storage.

    DRIFTWATCH_IMAGE_SECRET=... python -m driftwatch_sandbox.images --root DIR --port P

serves `GET /<key>?expires=<unix seconds>&signature=<hex>`, where the signature is the HMAC-SHA256 of
`<key>` + newline + `<expires>` (UTF-8) under the secret, and the key is the file's path below DIR, percent-encoded in
the URL. A wrong or missing signature and a link past its time give 403, an unknown key 404. A key never leads out of
DIR; a symbolic link that lies inside DIR is followed wherever it points, as a storage administrator put it there.

What a file is told to be depends on its first bytes, never on its name: JPEG, PNG or WebP; anything else is a download of no type.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import os
import sys
import time
from pathlib import Path, PurePosixPath
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse

from driftwatch.images.kinds import kind_of
from driftwatch_sandbox.serving import serve

SECRET_VARIABLE = "DRIFTWATCH_IMAGE_SECRET"  # noqa: S105 - the name, not the secret
# Whatever the bytes are, a browser takes them for no page and runs nothing in them.
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def valid_signature(key: str, expires: int, signature: str, secret: str) -> bool:
    """Whether `signature` is the hex HMAC-SHA256 of `key`, a newline and `expires` under `secret`."""
    expected = hmac.new(secret.encode(), f"{key}\n{expires}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.lower().encode())


def create_app(root: Path, secret: str) -> FastAPI:
    """The server's application; raises ValueError for an empty secret or a missing folder."""
    if not secret:
        raise ValueError(f"{SECRET_VARIABLE} is empty: set it to the secret that signs the links")
    if not root.is_dir():
        raise ValueError(f"--root {root}: no such folder")
    app = FastAPI(title="Driftwatch image server", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    async def healthz() -> Any:
        return {"status": "ok"}

    @app.api_route("/{key:path}", methods=["GET", "HEAD"])
    def image(key: str, expires: str = "", signature: str = "") -> FileResponse:
        if not expires.isascii() or not expires.isdigit() or len(expires) > 12:
            raise HTTPException(403, "the link carries no valid time of expiry")
        if not valid_signature(key, int(expires), signature, secret):
            raise HTTPException(403, "the link's signature is not valid")
        if int(expires) <= time.time():
            raise HTTPException(403, "the link has expired")
        path = _path_below(root, key)
        if path is None or not path.is_file():
            raise HTTPException(404, "no such image")
        with path.open("rb") as file:
            kind = kind_of(file.read(16))
        if kind is None:
            download = {**_HEADERS, "Content-Disposition": "attachment"}
            return FileResponse(path, media_type="application/octet-stream", headers=download)
        return FileResponse(path, media_type=kind.content_type, headers=_HEADERS)

    return app


def _path_below(root: Path, key: str) -> Path | None:
    """The file of a key, or None for a key that would step out of the root (`..`, an absolute path, a NUL)."""
    parts = PurePosixPath(key).parts
    if not parts or key.startswith("/") or ".." in parts or "\0" in key:
        return None
    return root.joinpath(*parts)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m driftwatch_sandbox.images", description=__doc__.split("\n")[0])
    parser.add_argument("--root", type=Path, required=True, help="folder whose files are served")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    options = parser.parse_args(arguments)
    try:
        app = create_app(options.root, os.environ.get(SECRET_VARIABLE, ""))
    except ValueError as error:
        sys.exit(str(error))
    serve(app, options.host, options.port)


if __name__ == "__main__":
    main()
