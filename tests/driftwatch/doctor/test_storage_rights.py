"""What the storage allows, on a folder and on S3 over HTTP, and how far its clock is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.doctor.results import CheckResult, LinkLife, Skew
from driftwatch.doctor.services import clocks
from driftwatch.doctor.site import Site
from driftwatch.doctor.storage_rights import storage_rights
from driftwatch.errors import NeedsAttention
from driftwatch.labels.backends.toloka.backend import TolokaBackend
from driftwatch.labels.links import LinkSigners
from driftwatch.storage import Storage, Stored, open_storage
from driftwatch.storage.file import FileStorage

MONITOR = MonitorConfig.model_validate(
    {
        "name": "shades",
        "classes": ["dark", "light"],
        "schedule": {"start_date": "2026-01-01"},
        "storage": {"uri": "file:///nowhere"},
        "publish": {"sinks": ["local"]},
        "labels": {"backend": "toloka", "project_name": "S", "question": "Which?", "instructions": "Look."},
    }
)


def no_access() -> Any:
    raise NeedsAttention("there is no account here")


def site(storage: Storage, labels: bool = False, later: timedelta = timedelta()) -> Site:
    """A site whose machine's clock is `later` than the true time. Without `labels` nobody sees images."""
    monitor = (
        MONITOR
        if labels
        else MONITOR.model_copy(update={"labels": MONITOR.labels.model_copy(update={"backend": "none"})})
    )
    nothing: Callable[..., Any] = lambda *_: no_access()  # noqa: E731
    return Site(
        monitor=monitor,
        name="one",
        now=lambda: datetime.now(timezone.utc) + later,
        store=lambda: MonitorStore(storage, monitor),
        refuse_missing=lambda *_: None,
        access=nothing,
        backend=lambda: TolokaBackend(no_access),
        signers=LinkSigners,
        load_notifier=nothing,
        notify=nothing,
    )


def states(findings: list[CheckResult]) -> dict[str, str]:
    return {finding.check: finding.state for finding in findings}


def rights(storage: Storage, labels: bool = False) -> list[CheckResult]:
    return [*storage_rights(site(storage, labels), storage, set())]


def test_on_s3_every_right_is_tried_a_link_is_followed_and_nothing_is_left(s3_storage) -> None:
    found = rights(s3_storage, labels=True)
    assert set(states(found).values()) == {"ok"}, found
    (link,) = (finding.facts for finding in found if finding.check == "image_links")
    assert link == LinkLife(52, renewed=False)
    assert not s3_storage.list("shades")


def test_links_that_end_before_the_pool_does_are_found(s3_storage, monkeypatch) -> None:
    from driftwatch.storage import SigningCredentials

    soon = SigningCredentials(temporary=True, end=datetime.now(timezone.utc) + timedelta(hours=1))
    monkeypatch.setattr(type(s3_storage), "signing_credentials", lambda storage: soon)
    (link,) = (finding for finding in rights(s3_storage, labels=True) if finding.check == "image_links")
    assert link.state == "wrong"
    assert "would be signed with temporary credentials that end" in str(link.problem)
    assert not s3_storage.list("shades")


def test_on_a_folder_nothing_is_left(tmp_path) -> None:
    found = rights(open_storage(f"file://{tmp_path}"))
    assert set(states(found).values()) == {"ok"}
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_server_that_replaces_what_was_to_be_created_once_is_wrong_and_nothing_is_left(tmp_path) -> None:
    class Forgetful(FileStorage):
        def replace(self, key: str, data: bytes, found: Stored | None) -> Stored | None:
            self.write_bytes(key, data)
            return Stored(data)

    found = rights(Forgetful(str(tmp_path)))
    assert states(found) | {"storage_only_once": "wrong"} == states(found)
    assert sum(finding.state != "ok" for finding in found) == 1
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_where_nothing_may_be_written_the_message_names_the_right_and_the_rest_is_not_called_wrong(
    tmp_path, monkeypatch
) -> None:
    def refuse(storage: FileStorage, path: str, data: bytes, content_type: str | None) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(FileStorage, "_write", refuse)
    created, *rest = rights(open_storage(f"file://{tmp_path}"))
    assert (created.check, created.state) == ("storage_create", "wrong")
    assert "may not write" in str(created.problem)
    assert {finding.state for finding in rest} == {"not_checked"}


@pytest.mark.parametrize(("seconds", "state"), [(0, "ok"), (60, "look"), (-600, "wrong")])
def test_a_clock_that_is_off_is_told_by_how_much(s3_storage, seconds: int, state: str) -> None:
    (found,) = clocks(site(s3_storage, later=timedelta(seconds=seconds)), s3_storage, set())
    assert found.state == state
    assert isinstance(found.facts, Skew)
    assert found.facts.seconds == pytest.approx(-seconds, abs=5)
