"""`driftwatch migrate`: brings the artifacts of an older version into today's form."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import TYPE_CHECKING, Any

from driftwatch.errors import NeedsAttention
from driftwatch.storage import open_storage
from driftwatch.view.words import count

if TYPE_CHECKING:
    from driftwatch.artifacts.migration import StaleArtifact
    from driftwatch.storage import Storage

_MOST_NAMED = 20


def add(commands: Any, everywhere: argparse.ArgumentParser) -> None:
    migrate = commands.add_parser(
        "migrate", parents=[everywhere], help="bring the artifacts of an older version into today's form"
    )
    migrate.add_argument(
        "storage",
        metavar="STORAGE",
        help="the storage root: file:///folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix",
    )
    what = migrate.add_mutually_exclusive_group()
    what.add_argument("--apply", action="store_true", help="do it; without this, say what would be done")
    what.add_argument("--drop-backup", action="store_true", help="delete the copies of the artifacts as they were")
    migrate.set_defaults(run=_migrate)


def _migrate(options: argparse.Namespace) -> None:
    from driftwatch.artifacts.migration import backup, drop_backup, findings, migrate, monitors_in

    storage = open_storage(options.storage)
    storage.reach()
    if options.drop_backup:
        held = drop_backup(storage)
        print(f"Deleted the backup: {count(held.files, 'file')}, {held.bytes} bytes")
        return
    if not monitors_in(storage):
        print(
            f"{storage.uri} has no monitor's folder yet. If it should: name the root that storage.uri says, and not a folder in or above it"
        )
        return
    found = list(findings(storage))
    older = [finding for finding in found if finding.state == "older"]
    _say(storage, older)
    if options.apply:
        done = sum(migrate(storage, finding) for finding in older)
        held = backup(storage)
        print(f"Migrated {count(done, 'artifact')}. The backup has {count(held.files, 'file')}, {held.bytes} bytes")
        if held.files:
            print(f"Delete it when all is well: driftwatch migrate {storage.uri} --drop-backup")
    elif older:
        print(f"Nothing was changed. Stop the DAGs, then: driftwatch migrate {storage.uri} --apply")
    _refuse_unreadable([finding for finding in found if finding.state != "older"])


def _say(storage: Storage, older: list[StaleArtifact]) -> None:
    """How many artifacts of which kind are older, and by how much."""
    from driftwatch.artifacts.kinds import kind_of

    if not older:
        print(f"{storage.uri}: every artifact that can be read has today's form")
        return
    print(f"{storage.uri}: {count(len(older), 'artifact')} of an older version")
    kinds = [kind for finding in older if (kind := kind_of(finding.key))]
    rows = Counter((kind.__name__, finding.version, kind.VERSION) for kind, finding in zip(kinds, older, strict=True))
    for (name, version, now), number in sorted(rows.items()):
        print(f"  {name:20s} {f'version {version}' if version else 'no version':10s} -> {now}  {number}")


def _refuse_unreadable(found: list[StaleArtifact]) -> None:
    """Raises NeedsAttention where artifacts cannot be read: those that are older are migrated nevertheless."""
    if not found:
        return
    lines = [f"  {finding.why}" for finding in found[:_MOST_NAMED]]
    if len(found) > _MOST_NAMED:
        lines.append(f"  and {len(found) - _MOST_NAMED} more")
    raise NeedsAttention(
        f"{count(len(found), 'artifact')} cannot be read, and stayed as they were:\n" + "\n".join(lines)
    )
