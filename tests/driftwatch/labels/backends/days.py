"""The days that every label backend is tested on, and what is asked of a backend about them."""

from __future__ import annotations

import hashlib
import time
from datetime import date, datetime, timezone

import pandas as pd
from tests.covered_images import HEADER, TABLE, file_of, row, upright, write_boxes
from tests.covered_images import put as put_image

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.store import DayStore
from driftwatch.config import LabelsConfig
from driftwatch.config.blur import BlurConfig
from driftwatch.config.labels import TOLOKA
from driftwatch.labels.backends.base import LabelBackend, LabelSite, Pool, PoolState, backend_of
from driftwatch.labels.creation import create_day_pool
from driftwatch.labels.links import ImageServer, LinkSigners
from driftwatch.storage import Storage

from .services import Service

DAY, IMAGES, CONTROL, FEE = date(2026, 11, 20), 6, 4, 0.2
LABELS = LabelsConfig(backend=TOLOKA, fee_share=FEE, project_name="p", question="q", instructions="i")
NOW = datetime.now(timezone.utc)
SIGNERS = LinkSigners(ImageServer("http://127.0.0.1:9", "secret"))


def put(storage: Storage, key: str) -> str:
    data = b"\xff\xd8\xff" + key.encode()
    storage.write_bytes(key, data)
    return hashlib.sha256(data).hexdigest()


def opened(service: Service, day: DayStore) -> AnnotationPlan:
    """The plan of the day's pool, made by a backend that has seen nothing before."""
    return create_day_pool(day, backend(service), SIGNERS, NOW)


def backend(service: Service, site: LabelSite | None = None) -> LabelBackend:
    return backend_of(service.name, site or service.site)


def pool_of(plan: AnnotationPlan) -> Pool:
    return Pool.of(plan, LABELS)


def asked(plan: AnnotationPlan) -> list[str]:
    return sorted(image.image_id for image in (*plan.sample, *plan.control))


def until_closed(made: LabelBackend, pool: Pool) -> PoolState:
    end = time.monotonic() + 20
    while (state := made.look(pool)).is_open:
        assert time.monotonic() < end, "the pool stays open"
        time.sleep(0.1)
    return state


def deliver_late(day: DayStore, images: int) -> None:
    """So many images more come after the day's pool was made."""
    keys, first = day.keys, day.storage.read_table(day.keys.manifest)
    day.storage.copy(keys.manifest, keys.sampled_manifest)
    late = pd.DataFrame({"key": [f"{day.config.name}/in/late{number}.jpg" for number in range(images)]})
    late["image_id"] = [put(day.storage, key) for key in late["key"]]
    day.storage.write_table(keys.manifest, pd.concat([first, late.assign(status="accepted")], ignore_index=True))


def covered_day(day: DayStore) -> tuple[DayStore, str]:
    """The day with pictures of faces, known images too, and a table of their boxes which lacks one image of the day; and that image's id."""
    blur = BlurConfig(path=TABLE, training="metadata/originals.csv")
    labels = day.config.labels.model_copy(update={"blur": blur, "sample_size": IMAGES})
    day = day.with_config(day.config.model_copy(update={"labels": labels}))
    images = [put_image(day, f"{number}.jpg", file_of(upright(number), 6)) for number in range(IMAGES)]
    write_boxes(day, *(row(f"{number}.jpg") for number in range(IMAGES - 1)))
    manifest = pd.DataFrame(images, columns=["image_id", "key"]).assign(status="accepted")
    day.storage.write_table(day.keys.manifest, manifest)
    keys, known = day.monitor.keys, []
    for number in range(2 * CONTROL):
        label, data = day.config.classes[number % 2], file_of(upright(20 + number))
        key = keys.training_image(label, f"{number}.jpg")
        day.storage.write_bytes(key, data)
        known.append((hashlib.sha256(data).hexdigest(), key, label))
    rows = [row(key.removeprefix(f"{keys.training_images}/")) for _, key, _ in known]
    day.storage.write_bytes("metadata/originals.csv", "\n".join([HEADER, *rows]).encode())
    table = pd.DataFrame(known, columns=["image_id", "key", "label"]).assign(split="evaluation")
    day.storage.write_table(keys.training_set, table)
    return day, images[-1][0]
