"""A market that people of the team may enter, its pictures, and the monitor whose pools they serve."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi import FastAPI
from starlette.responses import Response

from driftwatch.config import MonitorConfig
from driftwatch_sandbox.private_files import write_private
from driftwatch_sandbox.serving import running

from .people import TOKENS


@pytest.fixture
def config(small_monitor: Callable[..., MonitorConfig], tmp_path: Path) -> MonitorConfig:
    return small_monitor(
        f"file://{tmp_path}/storage",
        annotation={
            "project_name": "Cat or dog?",
            "question": "Which animal is it?",
            "instructions": "<p>Choose the <b>larger</b> one.</p><img src=x onerror='window.hacked=1'><script>window.hacked=1</script>",
            "overlap": 1,
            "tasks_per_page": 9,
            "quality": {"fast_seconds": 1, "fast_max": 10},
        },
    )


@pytest.fixture
def images() -> Iterator[str]:
    """An image server: picture n has a grey of its own."""
    app = FastAPI()

    @app.get("/{number}.png")
    def picture(number: int) -> Response:
        pixels = np.full((40, 60, 3), 5 * number % 255, dtype=np.uint8)
        return Response(cv2.imencode(".png", pixels)[1].tobytes(), media_type="image/png")

    with running(app) as url:
        yield url


@pytest.fixture
def market(serve_market: Callable[..., Any], tmp_path: Path) -> Any:
    people = tmp_path / "people.json"
    write_private(people, json.dumps(TOKENS))
    return serve_market(people=people)
