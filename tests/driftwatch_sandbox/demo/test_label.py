"""make label: a pool of the demo's images for people."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from driftwatch.artifacts import base
from driftwatch.artifacts.annotation import KnownImage, SampledImage
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.storage import open_storage
from driftwatch_sandbox.demo import week
from driftwatch_sandbox.demo.label import open_pool as open_demo_pool

from ..conftest import TOKEN
from ..people import person, plan, take


def test_the_demos_pool_asks_people_about_its_last_day(peoples_market: Any, config: MonitorConfig) -> None:
    storage, layout = open_storage(config.storage.uri), MonitorKeys(config.name)
    pictures = {f"demo/incoming/2026-01-07/{number}.jpg": b"\xff\xd8\xff" + bytes([number]) for number in range(12)}
    for key, data in pictures.items():
        storage.write_bytes(key, data)
    ids = {key: hashlib.sha256(data).hexdigest() for key, data in pictures.items()}
    images = [SampledImage(image_id=image_id, key=key) for key, image_id in ids.items()]
    control = tuple(KnownImage(image_id=image.image_id, key=image.key, label="cat") for image in images[9:])
    of_the_day = {"sample": tuple(images[:9]), "control": control, "overlap": 3, "state": "closed", "pool_id": "1"}
    closed = plan("1", config).model_copy(update=of_the_day)
    base.write(storage, layout.day(week.DAYS[-1]).annotation, closed)
    world = SimpleNamespace(
        storage=Path(storage.root),
        url=lambda name: peoples_market.url if name == "toloka" else "http://images.test",
        secrets=SimpleNamespace(toloka_token=TOKEN, image_secret="secret"),
    )
    pool_id = open_demo_pool(world, config)
    page = take(person(peoples_market, "ana"), pool_id)
    assert page is not None
    shown = [task["inputs"]["image"] for task in page["tasks"]]
    assert len(set(shown)) == 10
    assert all(url.startswith("http://images.test/demo/days/") and "signature=" in url for url in shown)
