"""Where profiles go: the protocol of a sink, and the sinks by name.

A sink takes an upload in two steps, so that the ledger can write down the upload's id before anything is sent. A new one is one
class, and one line in the entry points of the package that brings it:

    [project.entry-points."driftwatch.sinks"]
    warehouse = "our_package.sinks:warehouse"      # called with a SinkSite, gives a Sink

`publish.sinks` of a monitor file then takes the name `warehouse`. tests/driftwatch/publish/test_sink_conformance.py holds what
each sink must do.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Literal, Protocol, cast

from driftwatch.config.publish import BUILT_IN_SINKS, SINKS_ENTRY_POINTS
from driftwatch.errors import ConfigError

if TYPE_CHECKING:
    from driftwatch.artifacts.keys import MonitorKeys
    from driftwatch.config import MonitorConfig
    from driftwatch.credentials import Access
    from driftwatch.storage import Storage

Kind = Literal["features", "performance", "reference"]


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

    def reserve(self, kind: Kind, day: date, idempotency_key: str, reference: str | None) -> Slot:
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


@dataclass(frozen=True)
class SinkSite:
    """What a sink is made from. `access(connection, secret)` reads an Airflow connection by its id; `secret` says, for messages,
    what its password is."""

    config: MonitorConfig
    storage: Storage
    layout: MonitorKeys
    access: Callable[[str, str], Access]


SinkFactory = Callable[[SinkSite], Sink]


def sinks_of(site: SinkSite) -> list[Sink]:
    """The monitor's sinks, in the order of its file."""
    return [sink_of(name, site) for name in site.config.publish.sinks]


def sink_of(name: str, site: SinkSite) -> Sink:
    """The sink of a name; raises ConfigError where no installed package has it, or it cannot be loaded."""
    if name in BUILT_IN_SINKS:
        factory: SinkFactory = pkgutil.resolve_name(f"driftwatch.publish.{name}_sink:{name}_sink")
        return factory(site)
    found = [entry for entry in entry_points(group=SINKS_ENTRY_POINTS) if entry.name == name]
    if not found:
        raise ConfigError(
            f"publish.sinks names {name!r}, which no installed package has: install the package with the entry point {name} of the "
            f"group {SINKS_ENTRY_POINTS}, or name one of {', '.join(BUILT_IN_SINKS)}"
        )
    try:
        factory = cast(SinkFactory, found[0].load())
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"publish.sinks names {name!r}, and its entry point {found[0].value} cannot be loaded ({type(error).__name__}: {error}): "
            "correct the package that brings it"
        ) from error
    return factory(site)
