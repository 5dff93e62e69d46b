"""A monitor of dark and light pictures, which a model server answers over real HTTP."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from driftwatch_sandbox.model_server.app import create_app
from driftwatch_sandbox.model_server.model import ServedModel
from driftwatch_servers.serving import running

TOKEN = "a-secret-token"


@contextmanager
def serving(patch: pytest.MonkeyPatch) -> Iterator[ServedModel]:
    """A model of dark and light pictures, behind the connection `models`."""

    def shade(tensor: np.ndarray, version: str) -> np.ndarray:
        light = tensor.mean(axis=(1, 2, 3)) / 255
        return np.stack([1 - light, light], axis=1)

    model = ServedModel("shades", (-1, 32, 32, 3), shade)
    with running(create_app(model, TOKEN)) as url:
        patch.setenv("AIRFLOW_CONN_MODELS", url.replace("http://", f"http://:{TOKEN}@"))
        yield model


def monitor_file(folder: Path, **parts: dict[str, Any]) -> Path:
    """A monitor file, with 60 dark and 60 light pictures in a folder beside it. `parts`: sections in place of these."""
    rng = np.random.default_rng(0)
    for name, level in (("dark", 70), ("light", 180)):
        (folder / "images" / name).mkdir(parents=True)
        for number in range(60):
            rgb = np.clip(rng.normal(level, 40, (36, 36, 3)) + rng.normal(0, 15), 0, 255).astype("uint8")
            buffer = io.BytesIO()
            Image.fromarray(rgb).save(buffer, "PNG")
            (folder / "images" / name / f"{number}.png").write_bytes(buffer.getvalue())
    endpoint = {"connection": "models", "protocol": "tensorflow", "model": "shades"}
    settings: dict[str, Any] = {
        "name": "shades",
        "classes": ["dark", "light"],
        "schedule": {"start_date": "2026-01-01"},
        "storage": {"uri": f"file://{folder}/storage"},
        "model": {"input": {"size": 32}, "predictions": "endpoint", "endpoint": endpoint},
        "labels": {
            "backend": "toloka",
            "project_name": "Shades",
            "question": "Which?",
            "instructions": "Look.",
            "sample_size": 90,
        },
    }
    path = folder / "monitor.yaml"
    path.write_text(yaml.safe_dump(settings | parts), encoding="utf-8")
    return path
