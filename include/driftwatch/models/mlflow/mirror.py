"""Shows the versions of Driftwatch's registry in an MLflow registry, with the aliases `champion` and `challenger`.

Each call brings MLflow up to what the registry has, whatever the calls before it did: what exists there is found by its tags before it is
created. So a call that was killed, or that MLflow did not answer, is caught up by the next one. Nothing that is read there changes
Driftwatch's pointer.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

from driftwatch.artifacts import base
from driftwatch.artifacts.days import version_number
from driftwatch.artifacts.mlflow import MlflowRecord, MovedAlias
from driftwatch.artifacts.models import ChampionPointer, ModelCard
from driftwatch.artifacts.nested_keys import file_name, lock_of
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.registry import MlflowConfig
from driftwatch.credentials import Access
from driftwatch.errors import DriftwatchError, NeedsAttention
from driftwatch.models import registry
from driftwatch.models.mlflow.client import MlflowApi, RegisteredModel, Run
from driftwatch.storage.lock import exclusive

log = logging.getLogger(__name__)

CHAMPION, CHALLENGER = "champion", "challenger"
MONITOR, VERSION, CARD = "driftwatch.monitor", "driftwatch.version", "driftwatch.card"


def settings_of(store: MonitorStore) -> MlflowConfig | None:
    """The section registry.mlflow; None where the monitor has none."""
    return store.config.registry.mlflow


def api_of(store: MonitorStore) -> MlflowApi:
    """The tracking server of registry.mlflow. Raises NeedsAttention where the monitor file has none."""
    settings = settings_of(store)
    if settings is None:
        raise NeedsAttention(
            f"{store.keys.monitor} has no registry.mlflow in its monitor file: name there the Airflow connection of the tracking server"
        )
    return MlflowApi(_access(store, settings))


def show_versions(store: MonitorStore) -> MlflowRecord | None:
    """Brings MLflow up to the registry, and returns how it stands now; None without registry.mlflow.

    Raises DriftwatchError where it did not get through. The record then says why.
    """
    settings = settings_of(store)
    if settings is None:
        return None
    name = settings.model or store.config.name
    with exclusive(store.storage, lock_of(store.keys.mlflow)):
        known = store.find(store.keys.mlflow, MlflowRecord)
        before = known if known and known.model == name else MlflowRecord(model=name, shown={})
        try:
            done = _Mirror(store, MlflowApi(_access(store, settings)), before).bring_up()
        except DriftwatchError as error:
            store.write(store.keys.mlflow, before.model_copy(update={"problem": str(error)}))
            raise
        store.write(store.keys.mlflow, done)
    return done


def _access(store: MonitorStore, settings: MlflowConfig) -> Access:
    return store.access(settings.connection, "registry.mlflow.connection")


class _Mirror:
    """One call."""

    def __init__(self, store: MonitorStore, api: MlflowApi, before: MlflowRecord) -> None:
        self.store, self.api, self.before, self.name = store, api, before, before.model

    def bring_up(self) -> MlflowRecord:
        model = self._model()
        pointer, cards = registry.champion(self.store), self._cards()
        shown = self._versions(cards)
        self._challenger(model, pointer, cards, shown)
        moved = self._champion(model, pointer, shown) if pointer else None
        return MlflowRecord(
            model=self.name, shown=shown, champion=pointer.version if pointer else None, moved=moved, problem=None
        )

    def _model(self) -> RegisteredModel:
        """The registered model, which no other monitor shows its versions in."""
        monitor = self.store.keys.monitor
        found = self.api.registered_model(self.name)
        if found is None:
            self.api.create_model(self.name, {MONITOR: monitor})
            found = RegisteredModel(self.name, {MONITOR: monitor}, {})
        other = found.tags.get(MONITOR, monitor)
        if other != monitor:
            raise NeedsAttention(
                f"MLflow's registered model {self.name!r} shows the versions of the monitor {other}: give each monitor one of its own in "
                f"registry.mlflow.model, or, where {other} is this monitor's former name, correct the tag {MONITOR} there"
            )
        if MONITOR not in found.tags:
            self.api.tag_model(self.name, MONITOR, monitor)
        return found

    def _cards(self) -> dict[str, tuple[ModelCard, bytes]]:
        """Each version's card, oldest first, and its bytes."""
        storage, found = self.store.storage, {}
        for version in registry.versions(self.store):
            key = self.store.keys.model_card(version)
            data = storage.read_bytes(key)
            found[version] = (base.from_bytes(storage, key, data, ModelCard), data)
        return found

    def _versions(self, cards: Mapping[str, tuple[ModelCard, bytes]]) -> dict[str, str]:
        """Shows each version with its card of now, and returns MLflow's numbers for them."""
        monitor, shown, experiment = self.store.keys.monitor, {}, ""
        there = {
            one.tags[VERSION]: one
            for one in self.api.versions(self.name)
            if VERSION in one.tags and one.tags.get(MONITOR) == monitor
        }
        for version, (card, data) in cards.items():
            one, digest = there.get(version), registry.digest_of(data)
            if one is None:
                experiment = experiment or self.api.experiment(self.name)
                shown[version] = self._create(experiment, card, data)
                log.info("%s is version %s of %s in MLflow", version, shown[version], self.name)
                continue
            shown[version] = one.version
            if one.tags.get(CARD) != digest:  # the gate's table came later
                if run := self.api.find_run(one.run_id):
                    self.api.upload(run.files, "card.json", data)
                for key, value in {**_tags(card), CARD: digest}.items():
                    if one.tags.get(key) != value:
                        self.api.tag_version(self.name, one.version, key, value)
        return shown

    def _create(self, experiment: str, card: ModelCard, data: bytes) -> str:
        """The run with metrics, card and model file, then the version: it exists when it is whole."""
        run = self.api.run(experiment, card.version, {MONITOR: self.store.keys.monitor, VERSION: card.version})
        self.api.log_metrics(run, metrics_of(card))
        said = self._upload_model(run, card)
        self.api.upload(run.files, "card.json", data)
        self.api.finish(run)
        tags = {MONITOR: self.store.keys.monitor, **_tags(card), CARD: registry.digest_of(data)}
        return self.api.create_version(self.name, run, tags, said)

    def _upload_model(self, run: Run, card: ModelCard) -> str:
        """Uploads the version's file. Returns what the version's description says."""
        key = registry.model_key(self.store, card)
        said = f"{card.version} of the monitor {self.store.keys.monitor}, registered by Driftwatch"
        if not self.store.storage.exists(key):
            return f"{said}. Its model file is not kept any more (retraining.keep_challengers)"
        model, _ = registry.model_file(self.store, card.version)
        self.api.upload(run.files, file_name(key), model)
        return said

    def _challenger(
        self,
        model: RegisteredModel,
        pointer: ChampionPointer | None,
        cards: Mapping[str, tuple[ModelCard, bytes]],
        shown: Mapping[str, str],
    ) -> None:
        """The alias challenger: the newest version, where it was never champion."""
        newest = max(cards, key=version_number) if cards else None
        wanted = shown[newest] if pointer and newest and newest not in pointer.champions else None
        there = model.aliases.get(CHALLENGER)
        if wanted and wanted != there:
            self.api.set_alias(self.name, CHALLENGER, wanted)
        elif there and not wanted:
            self.api.delete_alias(self.name, CHALLENGER)

    def _champion(
        self, model: RegisteredModel, pointer: ChampionPointer, shown: Mapping[str, str]
    ) -> MovedAlias | None:
        """The alias champion. A promotion or a rollback moves it. Otherwise it is left where somebody put it, and that is returned."""
        wanted, there = shown[pointer.version], model.aliases.get(CHAMPION)
        if there == wanted:
            return None
        decided_anew = self.before.champion not in (None, pointer.version)
        if there and not decided_anew:
            named = {number: version for version, number in shown.items()}
            return MovedAlias(stands_at=there, version=named.get(there), found_at=pointer.version)
        if there and there != self.before.shown.get(self.before.champion or ""):
            log.warning("MLflow's alias champion of %s was moved to version %s by somebody", self.name, there)
        self.api.set_alias(self.name, CHAMPION, wanted)
        return None


def _tags(card: ModelCard) -> dict[str, str]:
    found = {
        VERSION: card.version,
        "driftwatch.kind": card.kind,
        "driftwatch.sha256": card.sha256,
        "driftwatch.run_key": card.data.run_key,
        "driftwatch.parent": card.parent,
        "driftwatch.gate": card.gate.decision if card.gate else None,
    }
    return {key: value for key, value in found.items() if value}


def metrics_of(card: ModelCard) -> dict[str, float]:
    """What the card says of the holdout, by names that MLflow allows."""
    held = card.metrics.holdout
    accuracy = held.accuracy
    found = {"holdout.images": held.n, "holdout.accuracy": accuracy.value}
    found |= {"holdout.accuracy_low": accuracy.low, "holdout.accuracy_high": accuracy.high}
    for name, of_class in held.classes.items():
        found[f"holdout.recall.{name}"] = of_class.recall.value
        found[f"holdout.precision.{name}"] = of_class.precision.value
    return {re.sub(r"[^/\w.\- :]", "_", key)[:250]: float(value) for key, value in found.items() if value is not None}
