"""The model that comes back from a team: it is registered as a challenger, and then compared with the champion in a run of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from driftwatch.artifacts.handover import Handover
from driftwatch.artifacts.keys import CHALLENGER, DATASET_CARD, ONLY_JUDGED, SET
from driftwatch.artifacts.models import ImportedRecipe, ModelCard, ModelData
from driftwatch.artifacts.nested_keys import file_name
from driftwatch.artifacts.retraining import ChallengerNote, DatasetCard
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import MissingArtifact, NeedsAttention, OddEntry
from driftwatch.models import registry
from driftwatch.models.archive import MOST_BYTES
from driftwatch.models.as_trained import refuse_other, refuse_other_champion
from driftwatch.models.cards import Origin, Unlearnt, register_trained
from driftwatch.models.champion import read_model, told
from driftwatch.models.dataset import EVALUATION, ORIGINAL, VALIDATION, load_inputs
from driftwatch.models.pending import handed_over
from driftwatch.models.training.base import Labelled


class NotHandedOver(NeedsAttention):
    """The model cannot be registered for a retraining that handed no training set over."""


class SameModel(NeedsAttention):
    """The file is a model that is registered already."""


def register_challenger(store: MonitorStore, file: str, run_key: str, by: str) -> str:
    """Registers the model in `file`, which was trained on the set that the retraining `run_key` handed over. Returns its version.

    `file`: a path on this machine, or an address in the monitor's storage. It must be a model that `driftwatch champion import` takes.
    The card's parent is the champion of the hand-over; its data are those of the set. Nothing is promoted: `take_up_challenger` and the
    gate come next. The same file again gives the same version. Raises NotHandedOver, SameModel, or the errors of an import.
    """
    manifest = _manifest(store, run_key)
    refuse_other_champion(store)
    unlearnt = _unlearnt(store, store.storage.read_table(store.keys.retraining(run_key, SET)))
    with _on_this_machine(store, file) as path:
        trained = told(read_model(path, store.config), unlearnt.holdout).trained
    _refuse_known(store, trained.model, run_key, file)
    card = store.read(store.keys.retraining(run_key, DATASET_CARD), DatasetCard)
    recipe = ImportedRecipe(name="imported", file=file_name(file))
    origin = Origin(by, manifest.champion, ModelData(**dict(card), run_key=run_key), recipe, {})
    version = register_trained(store, trained, unlearnt, origin)
    note = ChallengerNote(version=version, parent=manifest.champion, requested_by=by)
    store.write(store.keys.retraining(run_key, CHALLENGER), note)
    registry.prune(store, store.config.retraining.keep_challengers)
    return version


def _manifest(store: MonitorStore, run_key: str) -> Handover:
    found = store.find(store.keys.of_retraining(run_key).handover.manifest, Handover)
    if found is None:
        known = ", ".join(manifest.run_key for manifest in handed_over(store)) or "none"
        raise NotHandedOver(
            f"{store.keys.monitor}: the retraining {run_key!r} handed no training set over; these did: {known}. Name one of them by --run"
        )
    return found


def _unlearnt(store: MonitorStore, table: pd.DataFrame) -> Unlearnt:
    """The images of the set that the team was asked not to train on, and the validation images."""
    judged = (table["split"] == EVALUATION) & (table["source"] == ORIGINAL)
    table = table[judged | (table["split"] == VALIDATION)].reset_index(drop=True)
    images = Labelled.of(load_inputs(store, table), table, store.config.classes)
    return Unlearnt(images.where(table["split"] == VALIDATION), images.where(table["split"] == EVALUATION))


@contextmanager
def _on_this_machine(store: MonitorStore, file: str) -> Iterator[Path]:
    """The file's path; of an address in the monitor's storage, that of a copy."""
    root = f"{store.storage.uri}/"
    if not file.startswith(root):
        yield Path(file)
        return
    key = file.removeprefix(root)
    try:
        data = store.storage.read_foreign(key, key.rpartition("/")[0], MOST_BYTES)
    except (MissingArtifact, OddEntry) as error:
        raise NeedsAttention(f"{file} cannot be read: {error}. Put the model there, and register it again") from error
    with tempfile.TemporaryDirectory(prefix="driftwatch-challenger-") as folder:
        path = Path(folder) / file_name(key)
        path.write_bytes(data)
        yield path


def _refuse_known(store: MonitorStore, model: bytes, run_key: str, file: str) -> None:
    """Refuses a model that is registered already, unless it is this run's own."""
    digest, current = registry.digest_of(model), registry.champion_version(store)
    for version in registry.versions(store):
        if not version.endswith(digest[:8]):
            continue
        about = registry.card(store, version)
        if about.sha256 != digest or (about.data.run_key == run_key and version != current):
            continue
        if version == current:
            raise SameModel(f"{file} is the champion {version} itself, to the byte: name the file of the new model")
        raise SameModel(
            f"{file} is registered already, as {version}: name the file of the new model, compare that version (`challenger` in the form of "
            "the retraining DAG), or, if it was champion, roll back to it"
        )


class TrainedElsewhere(NamedTuple):
    """A challenger's card, and the champion that it would be compared with."""

    card: ModelCard
    champion: str


def trained_elsewhere(store: MonitorStore, version: str) -> TrainedElsewhere:
    """The challenger `version`, which was trained on a set that was handed over.

    Raises NotHandedOver for another version, UnknownVersion, or OtherModel.
    """
    card, champion = registry.card(store, version), registry.champion_version(store)
    if version == champion:
        raise SameModel(f"{store.keys.monitor}: {version} is the champion already: name a challenger")
    run_key = card.data.run_key
    if run_key is None or not store.storage.exists(store.keys.of_retraining(run_key).handover.manifest):
        raise NotHandedOver(
            f"{store.keys.monitor}: {version} was not trained on a set that was handed over, so there are no images to compare it on; "
            "register the team's model by `driftwatch challenger register`"
        )
    refuse_other(card, store.config, "the challenger")
    refuse_other_champion(store)
    return TrainedElsewhere(card, champion)


def take_up_challenger(store: MonitorStore, run_key: str, version: str, requested_by: str) -> ChallengerNote:
    """Makes `version` the challenger of the retraining `run_key`, and returns its note.

    The set that it was trained on becomes this retraining's, so the same evaluation images judge it. It is compared with the champion of
    today, whoever was champion when the set was handed over. A second call returns the first one's note.
    """
    done = store.keys.retraining(run_key, CHALLENGER)
    if note := store.find(done, ChallengerNote):
        return note
    card, champion = trained_elsewhere(store, version)
    assert card.data.run_key is not None, "trained_elsewhere refuses it"
    for name in (SET, DATASET_CARD, ONLY_JUDGED):
        source = store.keys.retraining(card.data.run_key, name)
        if name != ONLY_JUDGED or store.storage.exists(source):
            store.storage.copy(source, store.keys.retraining(run_key, name))
    note = ChallengerNote(version=version, parent=champion, requested_by=requested_by, trained_for=card.data.run_key)
    store.write(done, note)
    return note
