"""`make label`: the labelling page, with a pool of the demo's images that waits for you."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from rich.console import Console

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.config.loader import load_monitor
from driftwatch.http import Limits
from driftwatch.images.covered import Covers
from driftwatch.labels.backends.base import Opening
from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient
from driftwatch.labels.backends.toloka.pool import Campaign
from driftwatch.labels.links import ImageLinks, ImageServer
from driftwatch.storage import open_storage
from driftwatch_sandbox.demo.world import World, until_interrupted
from driftwatch_sandbox.toloka.door import PEOPLE
from driftwatch_servers.private_files import write_private

if TYPE_CHECKING:
    import toloka.client as toloka

    from driftwatch.labels.backends.toloka.upload import TaskUpload

_HOURS = 24
_PEOPLE = ("you", "colleague")


class PeoplesCampaign(Campaign):
    """Makes a pool that people answer, and the simulated crowd does not."""

    def _open(self, pool: toloka.Pool, uploading: TaskUpload) -> None:
        pool.metadata = {"served_by": [PEOPLE]}
        self.client.update_pool(pool.id, pool)
        super()._open(self.client.get_pool(pool.id), uploading)


def label(console: Console, world: World) -> None:
    """Serves the page until Ctrl-C. The pool asks about the last day again. Your answers change no day."""
    people = world.home / "people.json"
    if not people.exists():
        write_private(people, json.dumps({name: secrets.token_urlsafe(12) for name in _PEOPLE}))
    with until_interrupted(console, world.processes):
        world.refuse_taken_ports()
        world.start_stand_ins(people=people)
        for name in ("toloka", "images"):
            world.processes.wait_for_http(name, f"{world.url(name)}/healthz", lambda answer: answer.is_success)
        open_pool(world, load_monitor(world.monitor_file))
        console.print(f"Labelling page: {world.url('toloka')}/label/", highlight=False)
        for name, token in json.loads(people.read_text()).items():
            console.print(f"Token of {name}: {token}", highlight=False)
        console.print("Stop: Ctrl-C", highlight=False)


def open_pool(world: World, config: MonitorConfig) -> str:
    """Makes a new pool with the sample of the last day, which people answer. Returns its id."""
    store = MonitorStore(open_storage(f"file://{world.storage}"), config)
    day = store.day(max(day for day in store.days() if store.day(day).has(AnnotationPlan)))
    now = datetime.now(timezone.utc).replace(microsecond=0)
    expires = now + timedelta(hours=_HOURS)
    anew: dict[str, object] = {
        "state": "planned", "project_id": None, "pool_id": None, "creations": {}, "operation_ids": (), "exam": None, "exam_id": None,
        "overlap": 1, "expires": expires, "links_expire": expires,
    }  # fmt: skip
    plan = day.read(AnnotationPlan).model_copy(update=anew)
    server = ImageServer(world.url("images"), world.secrets.image_secret)
    links = ImageLinks(
        day.storage, day.keys.shown, now, expires, server, covers=Covers.of(store), elsewhere=store.elsewhere
    )
    client = DriftwatchTolokaClient(
        world.secrets.toloka_token, url=world.url("toloka"), limits=Limits(timeout=20, retries=2)
    )
    opening = Opening(plan, config, links, now, record=lambda plan: None, before_change=lambda: None)
    return str(PeoplesCampaign(client, opening, title=f"{day.date} by hand {now:%H:%M:%S}").carry_out().pool_id)
