"""Azurite, Microsoft's own emulator of Azure Blob Storage; `make azure-server` installs it into var/azurite."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path

import httpx

from driftwatch_sandbox.demo.processes import Processes, free_port

INSTALLED = Path(__file__).parents[2] / "var/azurite/node_modules/azurite/dist/src/blob/main.js"
# Those that every Azurite has; they are public.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@contextmanager
def azurite(folder: Path) -> Iterator[str]:
    """The address of the account's blobs, as long as the block runs."""
    port, processes = free_port(), Processes(folder)
    address = f"http://127.0.0.1:{port}"
    command = ["node", str(INSTALLED), "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)]
    try:
        processes.start("azurite", [*command, "--silent", "--disableTelemetry", "--skipApiVersionCheck"], os.environ)
        processes.wait_for_http("azurite", address, lambda answer: answer.status_code == 400)
        yield f"{address}/{ACCOUNT}"
    finally:
        processes.stop()


def make_container(address: str, name: str) -> None:
    """By a request that the account's key signs, since obstore makes no containers."""
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-12-02"}
    said = "".join(f"{key}:{value}\n" for key, value in headers.items())
    signed = f"PUT{chr(10) * 12}{said}/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    digest = hmac.new(base64.b64decode(KEY), signed.encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
    httpx.put(f"{address}/{name}?restype=container", headers=headers).raise_for_status()
