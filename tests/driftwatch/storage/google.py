"""A server of S3's API (moto's) that speaks as Google's XML API does, as its documentation says: generations, their conditions, copies. Google's
own server was never asked, and none of its emulators can be installed from a registry."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

_ANYBODY = "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=s"
_CONDITION = "HTTP_X_GOOG_IF_GENERATION_MATCH"


class Generations:
    """WSGI middleware: each write of an object gives it the next generation, and `x-goog-if-generation-match` asks for one (0: none)."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._next = count(1000)
        self._of: dict[str, int] = {}

    def __call__(self, environ: Any, start: Any) -> Any:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if source := environ.pop("HTTP_X_GOOG_COPY_SOURCE", None):
            environ["HTTP_X_AMZ_COPY_SOURCE"] = source
        environ["HTTP_AUTHORIZATION"] = _ANYBODY
        with self._lock:
            if _CONDITION in environ and int(environ[_CONDITION]) != self._of.get(path, 0):
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                body = b"<Error><Code>PreconditionFailed</Code><Message>m</Message></Error>"
                start("412 Precondition Failed", [("Content-Length", str(len(body)))])
                return [body]
            answered: list[Any] = []
            body = b"".join(self._app(environ, lambda status, headers, *_: answered.extend([status, headers])))
            if answered[0].startswith("2"):
                if method == "PUT" or (method == "POST" and "uploadId" in environ["QUERY_STRING"]):
                    self._of[path] = next(self._next)
                elif method == "DELETE":
                    self._of.pop(path, None)
            headers = [("x-goog-generation", str(self._of[path]))] if path in self._of else []
        start(answered[0], [*answered[1], *headers])
        return [body]


@contextmanager
def serving_google(bucket: str) -> Iterator[str]:
    """Its address, with one bucket."""
    import boto3
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Handler(WSGIRequestHandler):
        def log(self, *_: Any) -> None: ...

    app = Generations(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
    server.handle_error = lambda *_: None
    server.shutdown_request = lambda request: request.close()  # as it is: also where the connection is gone
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        boto3.client(
            "s3", "us-east-1", endpoint_url=address, aws_access_key_id="k", aws_secret_access_key="s"
        ).create_bucket(Bucket=bucket)
        yield address
    finally:
        server.shutdown()
        thread.join()
