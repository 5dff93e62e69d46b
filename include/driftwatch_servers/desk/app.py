"""The desk's application: the labelling page, the API, and the images of a file:// storage if it is to show them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import FastAPI

from driftwatch.labels.backends.desk.wire import API
from driftwatch_servers import images
from driftwatch_servers.desk import api
from driftwatch_servers.desk.batches import Batches
from driftwatch_servers.desk.database import Database
from driftwatch_servers.desk.people import Clients, Keys, StoredSessions
from driftwatch_servers.desk.source import DeskSource
from driftwatch_servers.desk.tables import PERSON
from driftwatch_servers.labelling import app as page

IMAGES = "/images"


@dataclass(frozen=True)
class Settings:
    """`token`: one more token of the API, beside those in the database. `images`: the folder of a file:// storage, whose images are then
    shown at /images by links that are signed with `image_secret`. `clock` gives Unix seconds."""

    database: str
    token: str = field(default="", repr=False)
    images: Path | None = None
    image_secret: str = field(default="", repr=False)
    clock: Callable[[], float] = time.time


def create_app(settings: Settings) -> FastAPI:
    """Raises ValueError for settings that cannot be, and a database that cannot be opened."""
    database, clock = Database(settings.database), settings.clock
    people = Keys(database, PERSON, clock)
    app = page.create_app(DeskSource(database, clock), people, StoredSessions(database))
    app.state.door = api.Door(Batches(database, clock), Clients(database, settings.token, clock), people)
    app.state.body_limits = {API: api.LARGEST_BODY, **app.state.body_limits}
    app.include_router(api.router)
    app.router.on_shutdown.append(database.close)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        with database.reading():
            return {"status": "ok"}

    if settings.images is not None:
        app.mount(IMAGES, images.create_app(settings.images, settings.image_secret))
    return app
