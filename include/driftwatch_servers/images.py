"""Image server: shows the images of a file:// storage to annotators by signed links, as S3 does by presigned links.

    DRIFTWATCH_IMAGE_SECRET=... python -m driftwatch_servers.images --root DIR --port P

serves `GET /<key>?expires=<unix seconds>&signature=<hex>`. The key is the file's path below DIR, percent-encoded in the URL. The
signature is the HMAC-SHA256 (a hash that only the owner of the secret can make) of `<key>` + newline + `<expires>` (UTF-8).

A wrong or missing signature gives 403, and so does a link whose time is over. An unknown key gives 404. A key never leads out of DIR. But
a symbolic link inside DIR is followed wherever it points: whoever runs the storage put it there.

A page of any other site may show an image by its link (Access-Control-Allow-Origin: *): the link is all the permission there is, and no login
stands behind it. Label Studio needs that.

The content type depends on the file's first bytes and never on its name: JPEG, PNG or WebP. Anything else is a download without a type.
"""

from __future__ import annotations

import argparse
import hmac
import os
import sys
import time
from pathlib import Path, PurePosixPath

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse

from driftwatch.images.first_bytes import kind_of
from driftwatch.labels.links import sign
from driftwatch_servers.serving import serve

SECRET_VARIABLE = "DRIFTWATCH_IMAGE_SECRET"  # noqa: S105 - the name, not the secret
# Whatever the bytes are, a browser does not take them for a page, and runs nothing in them.
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

# Label Studio's page fetches images by script. The link is the permission, and no cookie or login stands behind it: so whoever has the link may
# show the image on any page.
_ANY_PAGE = {"Access-Control-Allow-Origin": "*"}


def valid_signature(key: str, expires: int, signature: str, secret: str) -> bool:
    """Whether `signature` is the one that Driftwatch makes for this link."""
    return hmac.compare_digest(sign(key, expires, secret).encode(), signature.lower().encode())


def create_app(root: Path, secret: str) -> FastAPI:
    """The server's application. Raises ValueError for an empty secret or a missing folder."""
    if not secret:
        raise ValueError(f"{SECRET_VARIABLE} is empty: set it to the secret that signs the links")
    if not root.is_dir():
        raise ValueError(f"--root {root}: there is no such folder; name the folder of the file:// storage")
    app = FastAPI(title="Driftwatch image server", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.api_route("/{key:path}", methods=["GET", "HEAD"])
    def image(key: str, expires: str = "", signature: str = "") -> FileResponse:
        _check_link(key, expires, signature, secret)
        return _shown(_path_below(root, key))

    return app


def _check_link(key: str, expires: str, signature: str, secret: str) -> None:
    if not expires.isascii() or not expires.isdigit() or len(expires) > 12:
        raise HTTPException(403, "the link has no valid `expires`: use the whole link, as it was made")
    if not valid_signature(key, int(expires), signature, secret):
        raise HTTPException(403, "the link's signature is not valid: use the whole link, as it was made")
    if int(expires) <= time.time():
        raise HTTPException(403, "the link has expired: ask for a new one")


def _shown(path: Path | None) -> FileResponse:
    if path is None or not path.is_file():
        raise HTTPException(404, "no such image")
    with path.open("rb") as file:
        kind = kind_of(file.read(16))
    if kind is None:
        download = {**_HEADERS, "Content-Disposition": "attachment"}
        return FileResponse(path, media_type="application/octet-stream", headers=download)
    return FileResponse(path, media_type=kind.content_type, headers={**_HEADERS, **_ANY_PAGE})


def _path_below(root: Path, key: str) -> Path | None:
    """The file of a key. None for a key that would lead out of the root (`..`, an absolute path) or has a NUL character."""
    parts = PurePosixPath(key).parts
    if not parts or key.startswith("/") or ".." in parts or "\0" in key:
        return None
    return root.joinpath(*parts)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m driftwatch_servers.images", description=__doc__.split("\n")[0])
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
