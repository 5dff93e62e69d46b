"""The WhyLabs stand-in as the process that a demo starts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import httpx

from .client import KEY, ORG


def test_the_command_serves_says_so_and_stops_on_sigterm(tmp_path):
    command = [sys.executable, "-m", "driftwatch_sandbox.whylabs", "--port", "0", "--database", str(tmp_path / "w.db")]
    process = subprocess.Popen(
        [*command, "--dataset", "a", "--dataset", "b"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DRIFTWATCH_WHYLABS_KEY": KEY},
    )
    try:
        line = process.stdout.readline()
        url = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", line)[1]
        assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
        models = httpx.get(f"{url}{ORG}/models", headers={"X-API-Key": KEY}).json()
        assert [item["id"] for item in models["items"]] == ["a", "b"]
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
