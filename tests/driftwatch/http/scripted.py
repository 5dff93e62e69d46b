"""A server that answers each request as the test wrote it down, byte for byte, and may fall silent or hang up in the middle."""

from __future__ import annotations

import socket
import threading
from typing import Any

TOKEN = "AgAAAABs-very-secret-token"
SILENCE = b""


def answer(status: int, body: str = "", **headers: str) -> bytes:
    """A whole answer; `Retry_After` in `headers` is Retry-After."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body.encode())}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", body]).encode()


CUT = answer(200, "x" * 100)[:-60]


class Scripted:
    """`answers`: one for each connection, the last for all that follow. `heard`: the requests, whole."""

    def __init__(self, answers: list[bytes], context: Any = None) -> None:
        self.answers, self.context = answers, context
        self.heard: list[bytes] = []
        self.ended = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.listener.getsockname()[1]}"
        self.threads = [threading.Thread(target=self._serve, daemon=True)]
        self.threads[0].start()

    def _serve(self) -> None:
        while not self.ended.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.threads.append(threading.Thread(target=self._talk, args=(connection,), daemon=True))
            self.threads[-1].start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            request = b""
            while b"\r\n\r\n" not in request or not self._is_whole(request):
                got = connection.recv(65536)
                if not got:
                    return
                request += got
            self.heard.append(request)
            said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if said == SILENCE:
                self.ended.wait(20)
            connection.sendall(said)
        except OSError:
            return  # the client has hung up, as some tests want
        finally:
            connection.close()

    @staticmethod
    def _is_whole(request: bytes) -> bool:
        head, _, body = request.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if b"transfer-encoding: chunked" in head.lower():
            return body.endswith(b"0\r\n\r\n")
        return not lengths or len(body) >= int(lengths[0].split(b":")[1])

    def bodies(self) -> list[bytes]:
        return [request.partition(b"\r\n\r\n")[2] for request in self.heard]

    def end(self) -> None:
        if self.ended.is_set():
            return
        self.ended.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(5)
