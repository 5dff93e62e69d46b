"""The way to a host: straight, or through a proxy of the environment; and whose certificates are trusted."""

from __future__ import annotations

import ssl
from functools import cache
from urllib.request import getproxies, proxy_bypass

import httpx


@cache
def certificates() -> ssl.SSLContext:
    """The certificates that HTTPS clients trust; reading them takes longer than a request does, so they share them."""
    return httpx.create_ssl_context()


class Routes(httpx.BaseTransport):
    """Straight to the host, or through the proxy that the environment names for it (HTTPS_PROXY, ALL_PROXY, NO_PROXY, …): httpx
    reads these for itself only where it is given no transport."""

    def __init__(self) -> None:
        self._ways: dict[str | None, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        proxy = _proxy_of(request.url)
        if proxy not in self._ways:
            self._ways.setdefault(proxy, httpx.HTTPTransport(verify=certificates(), proxy=proxy))
        return self._ways[proxy].handle_request(request)

    def close(self) -> None:
        for way in self._ways.values():
            way.close()


def _proxy_of(url: httpx.URL) -> str | None:
    named = getproxies()
    proxy = named.get(url.scheme) or named.get("all")
    if not proxy or proxy_bypass(url.netloc.decode()):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
