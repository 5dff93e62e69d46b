"""Tasks to put into a pool of the stand-in."""

from __future__ import annotations

import httpx
import toloka.client as toloka

PLAIN = httpx.Client(timeout=10)
URLS = [f"http://127.0.0.1:9/image-{number}.jpg" for number in range(30)]


def tasks(pool_id: str, count: int, **fields):
    return [
        toloka.Task(pool_id=pool_id, input_values={"image": URLS[i], "image_id": str(i)}, **fields)
        for i in range(count)
    ]
