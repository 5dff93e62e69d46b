"""A server of S3's API (moto's) over real HTTP that fails as it is told."""

from __future__ import annotations

import io
import os
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import escape, unescape

import pytest

_XML = "http://s3.amazonaws.com/doc/2006-03-01/"
# S3's word for it, and the status that comes with it.
CODES = {
    "ExpiredToken": 400,
    "AccessDenied": 403,
    "InvalidAccessKeyId": 403,
    "SignatureDoesNotMatch": 403,
    "NoSuchBucket": 404,
    "SlowDown": 503,
    "InternalError": 500,
    "ConditionalRequestConflict": 409,
    "NotImplemented": 501,
    "PreconditionFailed": 412,
    "InvalidArgument": 400,
    "EntityTooLarge": 400,
    "InvalidRequest": 400,
}


@dataclass
class Fault:
    """`fault`: one of CODES, or `cut` (half a body), `untold` (the same, and no header tells the length), `silent` (no answer before `clear`),
    `reset` (the connection), `lost` (the connection, when the request was carried out), `ignored` (its conditions). `<code> of one`, of a request
    that deletes several objects: it answers 200, and has not deleted the last one. So S3 says that the right to delete is missing."""

    fault: str
    path: str = "."
    method: str = "GET|PUT|HEAD|DELETE|POST"
    times: int | None = None
    skip: int = 0
    met: int = 0


class FaultyS3:
    """WSGI middleware in front of moto; `plan` says how it fails. `asked`: method and path of each request, with the range that is asked for, or the
    first of the keys that are deleted, as one more argument of the query."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._cleared = threading.Event()
        self.asked: list[str] = []

    def plan(self, fault: str, path: str = ".", **more: Any) -> Fault:
        planned = Fault(fault, path, **more)
        self._faults.append(planned)
        return planned

    def clear(self) -> None:
        self._faults.clear()
        self._cleared.set()
        self._cleared = threading.Event()
        self.asked.clear()

    def __call__(self, environ: Any, start: Any) -> Any:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"] + "?" + unquote(environ["QUERY_STRING"])
        if "HTTP_RANGE" in environ:
            path += f"&range={environ['HTTP_RANGE']}"
        keys = _deleted_keys(environ)
        if keys:
            path += f"&first={keys[0]}"
        fault = self._take(method, path)
        if fault is None:
            return self._app(environ, start)
        if fault in CODES:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            body = (
                b"" if method == "HEAD" else f"<Error><Code>{fault}</Code><Message>said S3</Message></Error>".encode()
            )
            start(f"{CODES[fault]} Fault", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
            return [body]
        if fault.endswith(" of one"):
            return self._all_but_one(environ, start, keys, fault.partition(" ")[0])
        if fault == "silent":
            self._cleared.wait()
            return self._app(environ, start)
        if fault == "ignored":
            environ.pop("HTTP_IF_MATCH", None), environ.pop("HTTP_IF_NONE_MATCH", None)
            return self._app(environ, start)
        if fault == "lost":
            b"".join(self._app(environ, lambda *_: None))
        if fault in ("reset", "lost"):
            connection = environ["werkzeug.socket"]
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(connection.detach())
            raise ConnectionResetError
        return self._cut(environ, start, fault == "cut")

    def _all_but_one(self, environ: Any, start: Any, keys: list[str], code: str) -> Any:
        _set_body(environ, _delete_of(keys[:-1]))
        if keys[1:]:
            b"".join(self._app(environ, lambda *_: None))
        deleted = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys[:-1])
        refused = f"<Error><Key>{escape(keys[-1])}</Key><Code>{code}</Code><Message>said S3</Message></Error>"
        body = f'<DeleteResult xmlns="{_XML}">{deleted}{refused}</DeleteResult>'.encode()
        start("200 OK", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    def _cut(self, environ: Any, start: Any, told: bool) -> Any:
        answer: list[Any] = []
        body = b"".join(self._app(environ, lambda status, headers, *_: answer.extend([status, headers])))
        headers = [
            (name, value)
            for name, value in answer[1]
            if not name.lower().startswith(("x-amz-checksum", "content-length"))
        ]
        start(answer[0], [*headers, *([("Content-Length", str(len(body)))] if told else [])])
        return iter([body[: len(body) // 2]])  # of a list of one werkzeug would tell the length

    def _take(self, method: str, path: str) -> str | None:
        with self._lock:
            self.asked.append(f"{method} {path}")
            for fault in self._faults:
                if not re.fullmatch(fault.method, method) or not re.search(fault.path, path):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.met += 1
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self._faults.remove(fault)
                return fault.fault
        return None


def _deleted_keys(environ: Any) -> list[str]:
    """Of a request that deletes objects; its body can be read again."""
    if environ["REQUEST_METHOD"] != "POST" or not environ["QUERY_STRING"].startswith("delete"):
        return []
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    _set_body(environ, body)
    return [unescape(key) for key in re.findall("<Key>(.*?)</Key>", body.decode())]


def _delete_of(keys: list[str]) -> bytes:
    objects = "".join(f"<Object><Key>{escape(key)}</Key></Object>" for key in keys)
    return f'<Delete xmlns="{_XML}">{objects}</Delete>'.encode()


def _set_body(environ: Any, body: bytes) -> None:
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))


@contextmanager
def serving() -> Iterator[tuple[FaultyS3, str]]:
    """The server and its address. moto's PUT looks and then writes; S3's does both at once, and so does this server's."""
    from moto.s3.responses import S3Response
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Handler(WSGIRequestHandler):
        def log(self, *_: Any) -> None: ...

        def connection_dropped(self, *_: Any) -> None: ...

    s3 = FaultyS3(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, s3, threaded=True, request_handler=Handler)
    server.handle_error = lambda *_: None
    server.shutdown_request = lambda request: request.close()  # as it is: also where the connection is gone
    threading.Thread(target=server.serve_forever, daemon=True).start()
    put, one = S3Response.put_object, threading.Lock()

    def put_at_once(self: Any) -> Any:
        with one:
            return put(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(S3Response, "put_object", put_at_once)
        yield s3, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
