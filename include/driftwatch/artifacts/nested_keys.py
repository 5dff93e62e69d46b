"""Keys of what lies beside a file, or in a folder that `driftwatch.artifacts.keys` names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

# The run of the retraining DAG that the alert of a day starts is named so, followed by the day.
ALERT_RUN_PREFIX = "perf_alert__"
# The run that compares a model which was trained elsewhere is named so, followed by its version.
CHALLENGER_RUN_PREFIX = "challenger__"


def lock_of(key: str) -> str:
    """The lock that is held while the object at `key` is read, changed and written."""
    return f"{key}.lock"


def file_name(key: str) -> str:
    """The last part of a key."""
    return key.rpartition("/")[2]


def run_key(run_id: str) -> str:
    """The folder name of a retraining request: one for each run id."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", run_id)


@dataclass(frozen=True)
class LedgerKeys:
    """What belongs to the upload ledger at `ledger`."""

    ledger: str

    @property
    def payloads(self) -> str:
        """The folder of the bytes that were, or are to be, sent."""
        return self.ledger.removesuffix(".json")

    def payload(self, kind: str, content_hash: str) -> str:
        """The bytes of one content."""
        return f"{self.payloads}/{kind}-{content_hash[:16]}.bin"

    def kept_payload(self, noted: str) -> str:
        """The bytes whose key the ledger has noted. They lie beside the ledger, even if the monitor had another name then."""
        return f"{self.payloads}/{file_name(noted)}"


@dataclass(frozen=True)
class OutboxKeys:
    """What lies in an outbox: an alert for each source, and notes of who was told."""

    folder: str

    def alert(self, source: str) -> str:
        """What `source` has to tell."""
        return f"{self.folder}/{source}.json"

    @property
    def told(self) -> str:
        """The folder of the notes."""
        return f"{self.folder}/told"

    def told_of(self, alert_id: str) -> str:
        """The folder of the notes about one alert."""
        return f"{self.told}/{alert_id}"

    def note(self, alert_id: str, to: str) -> str:
        """That `to` was told of it."""
        return f"{self.told_of(alert_id)}/{to}.json"

    def lock(self, alert_id: str, to: str) -> str:
        """Held while `to` is told."""
        return f"{self.told_of(alert_id)}/{to}.lock"

    def alerts_among(self, keys: list[str]) -> list[str]:
        """The folder's keys that are alerts and not notes."""
        return [key for key in keys if not key.startswith(f"{self.told}/")]


@dataclass(frozen=True)
class RetrainingKeys:
    """What lies in the folder of a retraining, beside the files that `MonitorKeys.retraining` names."""

    folder: str

    @property
    def checkpoints(self) -> str:
        """The folder of its training's checkpoints."""
        return f"{self.folder}/checkpoints"

    @property
    def folds(self) -> str:
        """The folder of the checkpoints of the folds' trainings."""
        return f"{self.folder}/folds"

    @property
    def handover(self) -> HandoverKeys:
        """What is handed over to the team, which trains elsewhere."""
        return HandoverKeys(f"{self.folder}/handover")

    @property
    def outbox(self) -> str:
        """The folder of its alerts, like a day's."""
        return f"{self.folder}/outbox"

    @property
    def shown(self) -> str:
        """The folder of the images that the form of its approval shows."""
        return f"{self.folder}/shown"

    @property
    def attached_alerts(self) -> str:
        """The folder of the alerts that came while it was under way, one file for each day."""
        return f"{self.folder}/alerts"

    def attached_alert(self, day: date) -> str:
        """The alert of one day."""
        return f"{self.attached_alerts}/{day.isoformat()}.json"


@dataclass(frozen=True)
class HandoverKeys:
    """What lies in the folder of a training set that was handed over to the team."""

    folder: str

    @property
    def manifest(self) -> str:
        """What was handed over; written last."""
        return f"{self.folder}/manifest.json"

    def file(self, name: str) -> str:
        """A table of the set, or the model that the team left there."""
        return f"{self.folder}/{name}"


@dataclass(frozen=True)
class CheckpointKeys:
    """What lies in the folder of a training's checkpoints."""

    folder: str

    @property
    def note(self) -> str:
        """Which of the files are the last epoch's and the best one's."""
        return f"{self.folder}/progress.json"

    @staticmethod
    def epoch(number: int) -> str:
        """The name of an epoch's file."""
        return f"epoch-{number:04d}.keras"

    def file(self, name: str) -> str:
        """The file of this name."""
        return f"{self.folder}/{name}"


@dataclass(frozen=True)
class LocalSinkKeys:
    """What the sink `local` keeps below `folder`."""

    folder: str

    def of_day(self, day: date) -> str:
        """The folder of a day's profiles."""
        return f"{self.folder}/{day.isoformat()}"

    def profile(self, day: date, kind: str) -> str:
        """One kind of a day's profiles; those by segment are a zip."""
        return f"{self.of_day(day)}/{kind}.{'zip' if kind.endswith('_by_segment') else 'bin'}"

    def reference(self, version: str) -> str:
        """The profile of a model version's reference."""
        return f"{self.folder}/reference/{version}.bin"


@dataclass(frozen=True)
class ShownKeys:
    """What lies in the folder of the images as annotators see them."""

    folder: str

    @property
    def covered(self) -> str:
        """The folder of those in which boxes are covered (`labels.blur`)."""
        return f"{self.folder}/covered"

    def image(self, image_id: str, suffix: str) -> str:
        """One image; `suffix` says what its bytes are, such as `.jpg`."""
        return f"{self.folder}/{image_id}{suffix}"
