"""A door in front of a real server, that fails as it is told."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

_OWN = ("connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host", "date", "server")


@dataclass
class Fault:
    """`kind`: a status as a number; `html` (502 and a page); `slow` (no answer for a second, and nothing is done); `lost` (the server does
    it, and its answer is lost); `failed` (it does it, and answers 500); `reset` (nothing is done); `late` (it does it after `seconds`, which
    nobody waits for). It meets the requests whose method and path match, `times` times."""

    kind: str
    target: str = "."
    times: int = 1000
    seconds: float = 1.0


@dataclass
class Door:
    """`asked`: method and path of each request that came through; `held`: the late ones that the server has not done yet."""

    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    held: set[str] = field(default_factory=set)

    def wait_until_all_arrived(self, seconds: float = 120) -> None:
        """Returns when the server has done all that it was asked late."""
        end = time.monotonic() + seconds
        while self.held:
            assert time.monotonic() < end, self.held
            threading.Event().wait(0.05)

    def fault(self, target: str) -> Fault:
        self.asked.append(target)
        for fault in self.faults:
            if fault.times and re.search(fault.target, target):
                fault.times -= 1
                return fault
        return Fault("")


@contextmanager
def door_before(server: str, token: str | None = None) -> Iterator[Door]:
    """What a team has in front of a server. With a `token` it lets nobody in without it, and the server itself asks for none."""
    door = Door()

    class Handler(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if token and self.headers.get("Authorization") != f"Bearer {token}":
                return self._answer(401, {}, b"who are you?")
            fault = door.fault(f"{self.command} {self.path}")
            kind = fault.kind
            if kind.isdigit():
                return self._answer(int(kind), {}, b"told to fail")
            if kind == "html":
                return self._answer(502, {"Content-Type": "text/html"}, b"<html>Bad gateway</html>")
            name = f"{self.command} {self.path} {threading.get_ident()}"
            if kind == "late":
                door.held.add(name)
            if kind in ("slow", "late"):
                threading.Event().wait(fault.seconds)  # tests make time.sleep short
            if kind not in ("reset", "slow"):
                own = (*_OWN, "authorization") if token else _OWN
                kept = {k: v for k, v in self.headers.items() if k.lower() not in own}
                try:
                    found = httpx.request(self.command, server + self.path, content=body, headers=kept, timeout=60)
                finally:
                    door.held.discard(name)
                if kind == "failed":
                    return self._answer(500, {}, b"told to fail")
                if kind not in ("lost", "late"):
                    return self._answer(found.status_code, dict(found.headers), found.content)
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return None

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in _OWN:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        door.url = f"http://127.0.0.1:{listening.server_address[1]}"
        yield door
        listening.shutdown()
