"""What a sink is: the protocol, and what it is made from.

A sink takes an upload in two steps, so that the ledger can write down the upload's id before anything is sent.
tests/driftwatch/publish/test_sink_conformance.py holds what each sink must do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Protocol

from driftwatch.artifacts.publishing import ProfileKind

if TYPE_CHECKING:
    from driftwatch.artifacts.store import MonitorStore
    from driftwatch.credentials import Access


@dataclass(frozen=True)
class Slot:
    """A reserved upload. `address` may carry the permission to write, and stays out of messages and files."""

    upload_id: str
    address: str = field(repr=False)


class Sink(Protocol):
    """One dataset at one place. `name`, `organisation` and `dataset` tell the ledger what is whose.

    A sink may add up what it gets for a day, so the ledger sends each content once; what went to a slot before is replaced. The
    steps that only ask, and `reserve`, may be repeated at will. Whatever fails is raised as SinkError, or as a NeedsAttention where
    somebody has to change something first. `delete_wait_seconds`: how long a task waits for a deletion.
    """

    name: str
    organisation: str
    dataset: str
    delete_wait_seconds: float

    def reserve(self, kind: ProfileKind, day: date, idempotency_key: str, reference: str | None) -> Slot:
        """A slot; the same one for the same key where the sink can. Counts nothing by itself.

        `reference`: the model version, for that kind alone. Raises KeyAlreadyUsed where the sink refuses a key's second use."""

    def send(self, slot: Slot, payload: bytes) -> None:
        """Fills the slot; raises SinkError, `uncertain` when it may be filled all the same."""

    def delete_day(self, day: date) -> None:
        """Asks for the deletion of all that the day holds, references excepted; it may take time."""

    def day_is_empty(self, day: date) -> bool:
        """Whether no deletion is under way and nothing is left."""

    def profile_count(self, day: date) -> int:
        """How many profiles the day holds, references excepted, as the sink itself says."""

    def counts_already(self, kind: ProfileKind, day: date) -> bool:
        """Whether a profile of this kind that is sent now would be added to one that the day holds. False where it takes the other's
        place, and where the sink cannot tell."""


@dataclass(frozen=True)
class SinkSite:
    """What a sink is made from. `store`: the monitor's storage and file. `access(connection, secret)` reads an Airflow connection
    by its id; `secret` says, for messages, what its password is."""

    store: MonitorStore
    access: Callable[[str, str], Access]


SinkFactory = Callable[[SinkSite], Sink]
