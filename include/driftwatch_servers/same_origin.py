"""Refuses what a browser sends from another site's page: the page could ask in the name of whoever is logged in here."""

from __future__ import annotations

import json
from typing import Any

_SAFE = ("GET", "HEAD", "OPTIONS")


class SameOrigin:
    """ASGI middleware. A request that may change something must come from a page of this server, if it comes from a browser.

    Browsers say where a request comes from, in Sec-Fetch-Site, and older ones in Origin alone; pages cannot change these. Programs send
    neither, and have no cookie that somebody else could use. Origin is compared with the address that the browser sees: a proxy must send
    that in Host and X-Forwarded-Proto.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] not in _SAFE and not _from_here(scope):
            body = json.dumps(
                {"message": "this request comes from a page of another site: it was not carried out"}
            ).encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        await self._app(scope, receive, send)


def _from_here(scope: Any) -> bool:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site")
    if site is None and origin is not None:
        return origin.lower() == f"{scope['scheme']}://{headers.get(b'host', '')}".lower()
    return site in (None, "same-origin", "none")
