"""The desk's tables. Times are Unix seconds."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

VERSION: Final = 1  # of the tables; a database with a higher one was made by a newer Driftwatch
PERSON: Final = "person"  # labels
CLIENT: Final = "client"  # brings batches, as Airflow does
ACTIVE, DONE, FAST, SKIPPED, EXPIRED = "active", "done", "fast", "skipped", "expired"  # states of a page
COUNTS, TOO_FAST, REPLACED, UNDONE = "counts", "too fast", "replaced", "undone"  # states of an answer

metadata = sa.MetaData()
schema = sa.Table("desk_schema", metadata, sa.Column("version", sa.Integer, nullable=False))
# Who may do what. A token is kept as its hash.
keys = sa.Table(
    "desk_keys",
    metadata,
    sa.Column("kind", sa.String(20), primary_key=True),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("ends", sa.Double, nullable=False),
    sa.Column("revoked", sa.Double),
)
sessions = sa.Table(
    "desk_sessions",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("ends", sa.Double, nullable=False),
)
batches = sa.Table(
    "desk_batches",
    metadata,
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("project", sa.String(200), nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # the wire's Batch, as JSON
    sa.Column("overlap", sa.Integer, nullable=False),
    sa.Column("ends", sa.Double, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("close_reason", sa.String(20)),
)
# `answered`: people whose answer counts. `places`: these, and those who have the image on a page that is under way.
tasks = sa.Table(
    "desk_tasks",
    metadata,
    sa.Column("batch", sa.ForeignKey(batches.c.key), primary_key=True),
    sa.Column("image_id", sa.String(200), primary_key=True),
    sa.Column("link", sa.Text, nullable=False),
    sa.Column("known", sa.Text),
    sa.Column("answered", sa.Integer, nullable=False, default=0),
    sa.Column("places", sa.Integer, nullable=False, default=0),
    sa.Index("desk_tasks_free", "batch", "places", "image_id"),
)
pages = sa.Table(
    "desk_pages",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("batch", sa.ForeignKey(batches.c.key), nullable=False),
    sa.Column("project", sa.String(200), nullable=False),
    sa.Column("person", sa.String(100), nullable=False),
    sa.Column("taken", sa.Double, nullable=False),
    sa.Column("due", sa.Double, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("ended", sa.Double),
    sa.Index("desk_pages_batch", "batch", "state"),
    sa.Index("desk_pages_person", "person", "project", "ended"),
)
page_tasks = sa.Table(
    "desk_page_tasks",
    metadata,
    sa.Column("page", sa.ForeignKey(pages.c.id), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("image_id", sa.String(200), nullable=False),
)
# Every answer that was ever given. One for each person and image has the state `counts` or `too fast`.
answers = sa.Table(
    "desk_answers",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("batch", sa.ForeignKey(batches.c.key), nullable=False),
    sa.Column("page", sa.ForeignKey(pages.c.id), nullable=False),
    sa.Column("person", sa.String(100), nullable=False),
    sa.Column("image_id", sa.String(200), nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("given", sa.Double, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),  # since this person's answer or page before
    sa.Column("state", sa.String(20), nullable=False),
    sa.Index("desk_answers_person", "batch", "person", "image_id"),
    sa.Index("desk_answers_page", "page", "state"),
)
bans = sa.Table(
    "desk_bans",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("person", sa.String(100), nullable=False),
    sa.Column("project", sa.String(200), nullable=False),
    sa.Column("ends", sa.Double, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index("desk_bans_person", "person", "project"),
)
