"""Publishing a day's profile so that it counts once, whatever breaks in between."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal

from driftwatch.artifacts.failure import REVISED
from driftwatch.artifacts.publishing import ProfileKind, Upload
from driftwatch.publish.errors import KeyAlreadyUsed, PublishConflict, PublishPending, SinkError
from driftwatch.publish.ledger import Ledger, altered

if TYPE_CHECKING:
    from driftwatch.publish.base import Sink
    from driftwatch.storage import Storage

log = logging.getLogger(__name__)
_MAX_ATTEMPTS = 5
_POLL_SECONDS = 10.0


@dataclass(frozen=True)
class Profile:
    """What is published. `content_hash` decides what is the same content; for the same hash the bytes of the first try are sent.

    `reference`: the model version, for that kind and no other; a reference carries a day, and does not belong to it.
    """

    kind: ProfileKind
    day: date
    payload: bytes = field(repr=False)
    content_hash: str
    reference: str | None = None

    def __post_init__(self) -> None:
        if (self.kind == "reference") != (self.reference is not None):
            raise ValueError(
                f"kind {self.kind!r} with reference {self.reference!r}: the kind 'reference' needs the model version as `reference`, "
                "and no other kind may have one"
            )

    @property
    def name(self) -> tuple[ProfileKind, str | None]:
        """What it is called within its ledger: one of these lives at a time."""
        return self.kind, self.reference


@dataclass(frozen=True)
class PublishResult:
    """`skipped`: the same content was there already. `revised`: the day was deleted first. `revision` counts from 1."""

    state: Literal["uploaded", "skipped", "revised"]
    upload_id: str
    revision: int


class _Uncertain(Exception):
    """An interrupted upload may have arrived, and the sink cannot be asked."""


class _Unknown(Exception):
    """The sink's day holds a profile of this kind, and the ledger knows of none."""


def publish(
    storage: Storage,
    ledger_key: str,
    sink: Sink,
    profile: Profile,
    *,
    revise: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> PublishResult:
    """Publishes one profile: see `publish_each`."""
    return publish_each(storage, ledger_key, sink, [profile], revise=revise, sleep=sleep)[0]


def publish_each(
    storage: Storage,
    ledger_key: str,
    sink: Sink,
    profiles: Sequence[Profile],
    *,
    revise: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> list[PublishResult]:
    """Publishes the profiles of one day, unless the ledger says that the same content is there; what was done with each.

    `ledger_key`: the day's ledger, or the model version's for a reference. `revise`: other content than before replaces the day: the
    day is deleted at the sink, once for all `profiles`, with all kinds of profiles and whatever else wrote there, and once it is gone
    everything that the ledger knows is sent again.

    An upload that was interrupted is finished first: by its idempotency key where the sink honours that, else, when it
    may have arrived, by deleting and sending the day again. So is one whose key the sink knows though the ledger has never sent it:
    the ledger was restored from an older backup. Raises PublishConflict for other content without `revise`, and where the day holds a
    profile of which nothing says whose it is; PublishPending when the sink is still deleting, and SinkError when it refuses.
    """
    ledger = Ledger(storage, ledger_key, sink, profiles[0].day)
    with ledger.locked():
        for profile in profiles:
            _note(ledger, profile, revise)
        there = {profile.name for profile in profiles if _is_there(ledger, profile)}
        return [_sent(ledger, sink, profile, profile.name in there, revise, sleep) for profile in profiles]


def _note(ledger: Ledger, profile: Profile, revise: bool) -> None:
    """Writes down what is to be sent."""
    found = ledger.current(*profile.name)
    if found is None:
        ledger.add(*profile.name, profile.content_hash, profile.payload)
    elif found.content_hash != profile.content_hash:
        _refuse_unless(revise, found, profile.content_hash)
        log.info("Revising %s: the day is deleted at the sink and sent again", found.describe())
        ledger.replace_day(profile.kind, profile.content_hash, profile.payload)
    elif not _is_there(ledger, profile):
        log.info("Finishing %s, which was interrupted", found.describe())
        if not ledger.has_payload(found):
            ledger.keep_payload(found, profile.payload)


def _is_there(ledger: Ledger, profile: Profile) -> bool:
    found = ledger.current(*profile.name)
    return found is not None and found.state == "done" and not _unfinished(ledger, profile)


def _sent(
    ledger: Ledger, sink: Sink, profile: Profile, there: bool, revise: bool, sleep: Callable[[float], None]
) -> PublishResult:
    """Sends it unless it is `there`."""
    if not there:
        _finish(ledger, sink, profile, revise, sleep)
    done = ledger.current(*profile.name)
    assert done is not None
    assert done.upload_id is not None
    if there:
        log.info("Skipped %s: the same content was uploaded as %s", done.describe(), done.upload_id)
        return PublishResult("skipped", done.upload_id, done.revision)
    log.info("Uploaded %s as %s, revision %d", done.describe(), done.upload_id, done.revision)
    return PublishResult("revised" if done.resent else "uploaded", done.upload_id, done.revision)


def _refuse_unless(revise: bool, found: Upload, content_hash: str) -> None:
    interrupted = "" if found.state == "done" else " by a run that was interrupted"
    told = (
        f"{found.describe()} was published with other content{interrupted}"
        f" (hash {found.content_hash[:12]}, now {content_hash[:12]})"
    )
    if found.kind == "reference":
        raise PublishConflict(f"{told}; a model version's reference never changes: publish it for a new version")
    if not revise:
        raise PublishConflict(
            f"{told}; sending it too would count the day twice. If the new content is right, {REVISED}: "
            "that deletes the day at the sink and sends it anew"
        )


def _finish(ledger: Ledger, sink: Sink, profile: Profile, revise: bool, sleep: Callable[[float], None]) -> None:
    """Brings the entry of this kind, and those that a revision sends again with it, to `done`."""
    while True:
        waiting = [entry for entry in ledger.live() if entry.state == "waiting"]
        if waiting:
            _delete_day(ledger, sink, profile.day, sleep)
            ledger.change(*(altered(entry, state="pending") for entry in waiting))
        try:
            for entry in _unfinished(ledger, profile):
                _send(ledger, sink, entry, profile.day)
            return
        except _Uncertain:
            log.warning("It is not known whether %s arrived: the day is deleted and sent again", entry.describe())
        except _Unknown as error:
            if not revise:
                raise PublishConflict(
                    f"{entry.describe()} is there already, and {ledger.key} does not say that it was sent: the storage was restored from "
                    "an older backup, or something else writes there. Sending it would count the day twice. If nothing else writes "
                    f"there, {REVISED}: that deletes the day at the sink and sends it anew"
                ) from error
            log.warning("%s is there already: the day is deleted and sent again", entry.describe())
        ledger.replace_day(entry.kind, entry.content_hash, ledger.payload(entry))


def _unfinished(ledger: Ledger, profile: Profile) -> list[Upload]:
    """The entry of this kind and those that a revision sends again; another kind's first upload is its own task's, and so is one whose
    bytes are kept no more: only that task makes them anew."""
    open_entries = [entry for entry in ledger.live() if entry.state != "done"]
    return [e for e in open_entries if (e.kind, e.reference) == profile.name or (e.resent and ledger.has_payload(e))]


def _delete_day(ledger: Ledger, sink: Sink, day: date, sleep: Callable[[float], None]) -> None:
    # Safe to repeat after an interruption: nothing is sent while entries wait.
    ledger.check()
    sink.delete_day(day)
    waited = 0.0
    while not sink.day_is_empty(day):
        if waited >= sink.delete_wait_seconds:
            raise PublishPending(
                f"{sink.name} {sink.organisation}/{sink.dataset} has not deleted {day} within {waited:.0f} s;"
                " run this task again later, it continues from here"
            )
        pause = min(_POLL_SECONDS, sink.delete_wait_seconds - waited)
        sleep(pause)
        waited += pause


def _send(ledger: Ledger, sink: Sink, entry: Upload, day: date) -> None:
    """Takes one entry from `pending` or `sending` to `done`; raises _Uncertain where only deleting the day helps."""
    maybe_arrived = entry.state == "sending" and entry.kind != "reference"  # references are not added up
    while True:
        try:
            ledger.check()
            slot = sink.reserve(entry.kind, day, entry.idempotency_key, entry.reference)
        except KeyAlreadyUsed as error:
            if maybe_arrived or sink.counts_already(entry.kind, day):
                raise _Uncertain from error
            # The answer to the key's first use was lost, and with it the address: nothing was sent there.
            if entry.attempt >= _MAX_ATTEMPTS:
                raise
            entry = altered(entry, attempt=entry.attempt + 1)
            ledger.change(entry)
            continue
        break
    if maybe_arrived and slot.upload_id != entry.upload_id:
        raise _Uncertain  # the sink has forgotten the key; the slot that it gave now stays empty, which counts nothing
    if not maybe_arrived and sink.counts_already(entry.kind, day):
        raise _Unknown
    entry = altered(entry, state="sending", upload_id=slot.upload_id)
    ledger.change(entry)
    payload = ledger.payload(entry)
    ledger.check()
    try:
        sink.send(slot, payload)
    except SinkError as error:
        if not error.uncertain and not maybe_arrived:
            ledger.change(altered(entry, state="pending", attempt=entry.attempt + 1, upload_id=None))
        raise
    ledger.change(altered(entry, state="done"))
