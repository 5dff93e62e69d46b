"""What the first task of a day is given: photos, and as much of a task instance as it touches."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np


class TaskInstance:
    """As much of a task instance as the first task of a day touches."""

    map_index = -1

    def __init__(self) -> None:
        self.xcom: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcom[key] = json.loads(json.dumps(value))


def photo(seed: int) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (60, 80, 3), np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()
