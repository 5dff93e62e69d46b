"""The model registry: models/<version>/ with model.keras and card.json, and the pointer to the champion.

A version exists once its card does; the card is written last and holds the model's sha256, which is verified at each load.
Every card, and the model of every version that was ever champion, is kept for ever: days are judged by them, and any of them can
be rolled back to. Of challengers that were never promoted only the newest keep their model (`retraining.keep_challengers`).
"""

from __future__ import annotations

import hashlib
import io
import re
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.days import model_versions, version_number
from driftwatch.artifacts.nested_keys import lock_of
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import MissingArtifact, NeedsAttention
from driftwatch.models.archive import DamagedModel, check_archive, refused_by_keras
from driftwatch.remedies import broken
from driftwatch.storage import Storage
from driftwatch.storage.formats import json_bytes
from driftwatch.storage.lock import exclusive

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras

# Keras stamps the saved file with the time; a fixed one makes the same weights the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


class UnknownVersion(NeedsAttention):
    """The registry has no such version."""


class ChampionMoved(NeedsAttention):
    """Another version became champion since the decision was made."""


@dataclass(frozen=True)
class LoadedModel:
    """A registered model, ready to run. `model` maps images 0..255 [n, S, S, 3] to logits, or to probabilities as `output` says."""

    version: str
    model: keras.Model
    temperature: float
    from_logits: bool
    input_size: int


def versions(store: MonitorStore) -> list[str]:
    """Every registered version, oldest first."""
    return model_versions(store.storage, store.keys)


def card(store: MonitorStore, version: str) -> dict[str, Any]:
    """The version's card; raises UnknownVersion, naming those there are, or DamagedArtifact."""
    try:
        return _record(store.storage, store.keys.model_card(version), "sha256")
    except MissingArtifact as error:
        known = ", ".join(versions(store)) or "none; train the first by `driftwatch champion train MONITOR.yaml`"
        raise UnknownVersion(
            f"{store.storage.url(store.keys.models)} has no version {version!r}; there are: {known}"
        ) from error


def champion(store: MonitorStore) -> dict[str, Any] | None:
    """The pointer to the version that production serves: version, previous, promoted_by, sha256, and
    `history`, every champion there was, in order; None before the first."""
    return _record(store.storage, store.keys.champion, "version") if store.storage.exists(store.keys.champion) else None


def _record(storage: Storage, key: str, needed: str) -> dict[str, Any]:
    """The JSON object at `key`, a pointer or a card; raises DamagedArtifact for anything without the text `needed`."""
    return _as_record(storage, key, storage.read_bytes(key), needed)


def _as_record(storage: Storage, key: str, data: bytes, needed: str) -> dict[str, Any]:
    found = storage.parsed_json(key, data)
    if not isinstance(found, dict) or not isinstance(found.get(needed), str):
        raise broken(storage.url(key), key, f"is no JSON object with a text {needed!r}")
    return found


def champion_version(store: MonitorStore) -> str:
    """The champion's version; raises UnknownVersion where none was promoted yet."""
    pointer = champion(store)
    if pointer is None:
        raise UnknownVersion(
            f"{store.keys.monitor} has no champion ({store.storage.url(store.keys.champion)}): run `driftwatch champion train` or "
            "`driftwatch champion import` with its monitor file"
        )
    return pointer["version"]


def version_for(store: MonitorStore, model: bytes, same: Callable[[dict[str, Any]], bool] = lambda card: True) -> str:
    """The name of a model by its content, like v0003-1a2b3c4d: the one it is registered by, else the next number.

    `same` looks at the card of a version that has this content: whether it is this model's, or the same weights stand for another.
    """
    digest = _digest(model)[:8]
    known = versions(store)
    for version in known:
        if version.endswith(f"-{digest}") and same(card(store, version)):
            return version
    return f"v{version_number(known[-1]) + 1 if known else 1:04d}-{digest}"


def register(store: MonitorStore, version: str, model: bytes, card: dict[str, Any]) -> dict[str, Any]:
    """Writes the model, then its card with `version` and `sha256` added. The same model again keeps the first card, and mends a
    file that is gone or damaged.

    Raises NeedsAttention where `version` is the name of another model. Returns the card.
    """
    digest = _digest(model)
    if store.storage.exists(store.keys.model_card(version)):
        known = _record(store.storage, store.keys.model_card(version), "sha256")
        if known["sha256"] != digest:
            raise NeedsAttention(
                f"{store.storage.url(store.keys.model(version))} is another model already: take a new version name"
            )
        if (
            not store.storage.exists(store.keys.model(version))
            or _digest(store.storage.read_bytes(store.keys.model(version))) != digest
        ):
            store.storage.write_bytes(store.keys.model(version), model)
        return known
    store.storage.write_bytes(store.keys.model(version), model)
    whole = {**card, "version": version, "sha256": digest}
    store.storage.write_json(store.keys.model_card(version), whole)
    return whole


def add_to_card(store: MonitorStore, version: str, **parts: Any) -> None:
    """Adds what was learnt of a version after it was registered, such as the gate's table."""
    store.storage.write_json(store.keys.model_card(version), {**card(store, version), **parts})


def promote(store: MonitorStore, version: str, promoted_by: str, expected: str | None) -> dict[str, Any]:
    """Makes `version` the champion by one conditional write, and returns the pointer.

    `expected` is the champion that the decision was made against, None for the first. Raises ChampionMoved where it is no
    longer that: of two promotions at once one succeeds, and no champion is lost from the history. Promoting the champion again
    changes nothing.
    """
    sha256 = card(store, version)["sha256"]
    with exclusive(store.storage, lock_of(store.keys.champion)) as lock:
        _refuse_gone(store, version)
        found = store.storage.read_stored(store.keys.champion)
        current = _as_record(store.storage, store.keys.champion, found.data, "version") if found else None
        if current and current["version"] == version:
            return current
        if (current["version"] if current else None) != expected:
            raise _moved(store, version, expected)
        pointer = {
            "version": version,
            "previous": expected,
            "promoted_by": promoted_by,
            "sha256": sha256,
            "history": [*champions(current), version],
        }
        lock.check()
        # The lock keeps others out; should this process be frozen here and lose it, the condition does.
        if store.storage.replace(store.keys.champion, json_bytes(pointer), found) is None:
            raise _moved(store, version, expected)
    return pointer


def _moved(store: MonitorStore, version: str, expected: str | None) -> ChampionMoved:
    now = champion(store)
    return ChampionMoved(
        f"{store.keys.monitor}: the champion is {now['version'] if now else 'not chosen yet'}, not {expected} as when it was decided that "
        f"{version} takes over, and nothing was changed: start the retraining, or the rollback, again"
    )


def champions(pointer: dict[str, Any] | None) -> list[str]:
    """Every version that was ever champion, in order; one that came back stands there again."""
    if not pointer:
        return []
    return list(pointer.get("history", [name for name in (pointer.get("previous"), pointer["version"]) if name]))


def prune(store: MonitorStore, keep: int) -> list[str]:
    """Deletes the model files, never the cards, of all but the `keep` newest challengers that were never champion; returns their
    versions."""
    with exclusive(store.storage, lock_of(store.keys.champion)) as lock:  # none of them becomes the champion meanwhile
        kept = set(champions(champion(store)))
        challengers = [version for version in versions(store) if version not in kept]
        oldest = challengers[: max(0, len(challengers) - keep)]
        old = [version for version in oldest if store.storage.exists(store.keys.model(version))]
        for version in old:
            lock.check()
            store.storage.delete(store.keys.model(version))
    return old


def load_model(store: MonitorStore, version: str) -> LoadedModel:
    """The version's model, loaded with Keras' safe mode on after its sha256 was compared with the card's and, of the champion,
    with the pointer's.

    Raises UnknownVersion, DamagedArtifact, or DamagedModel where the file is another, holds code, or promises more than it holds.
    """
    data, about = model_file(store, version)
    model = from_bytes(data, store.storage.url(store.keys.model(version)))
    return LoadedModel(version, model, about["temperature"], about["output"] == "logits", about["input_size"])


def model_file(store: MonitorStore, version: str) -> tuple[bytes, dict[str, Any]]:
    """The bytes of the version's model file, compared as `load_model` says, and its card. Raises the same for another file."""
    about = card(store, version)
    _refuse_gone(store, version)
    data = store.storage.read_bytes(store.keys.model(version))
    _compare_digests(store, version, about, _digest(data))
    for field in ("temperature", "output", "input_size"):
        if field not in about:
            raise broken(
                store.storage.url(store.keys.model_card(version)), store.keys.model_card(version), f"has no {field!r}"
            )
    return data, about


def _digest(model: bytes) -> str:
    return hashlib.sha256(model).hexdigest()


def _compare_digests(store: MonitorStore, version: str, about: dict[str, Any], digest: str) -> None:
    """Refuses a model file that is not the one its card tells of, and a card that is not the one that became champion."""
    file, card_file = store.storage.url(store.keys.model(version)), store.storage.url(store.keys.model_card(version))
    if digest != about["sha256"]:
        raise DamagedModel(
            f"{file} has sha256 {digest}, its card says {about['sha256']} ({card_file}): the file was changed or damaged. Restore it "
            "from a backup, import the same model once more by `driftwatch champion import`, or roll back to another version by "
            "`driftwatch champion rollback`"
        )
    pointer = champion(store)
    if pointer and pointer["version"] == version and pointer.get("sha256", digest) != digest:
        raise DamagedModel(
            f"{file} has sha256 {digest}, as its card says, but {store.storage.url(store.keys.champion)} says {pointer['sha256']}: this is not "
            "the model that became champion. Restore model, card and pointer from a backup, or roll back to another version by "
            "`driftwatch champion rollback`, which writes the pointer anew"
        )


def _refuse_gone(store: MonitorStore, version: str) -> None:
    if not store.storage.exists(store.keys.model(version)):
        raise UnknownVersion(
            f"{store.storage.url(store.keys.model(version))} is gone: of challengers that were never champion only the newest "
            "(retraining.keep_challengers) keep their model; train it anew, or name another version"
        )


def from_bytes(data: bytes, name: str) -> keras.Model:
    """A Keras model from the bytes of a .keras file, safe mode on; `name` is for the error. Raises DamagedModel."""
    import keras

    check_archive(data, name)
    with tempfile.TemporaryDirectory(prefix="driftwatch-model-") as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(data)
        try:
            return keras.models.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # Keras raises what its layers and zip raise
            raise DamagedModel(refused_by_keras(name, error)) from error


def to_bytes(model: keras.Model) -> bytes:
    """The model as a .keras file, without optimizer and time stamps: the same weights give the same bytes."""
    bare = type(model).from_config(model.get_config())  # cloning would keep the optimizer
    bare.set_weights(model.get_weights())
    with tempfile.TemporaryDirectory(prefix="driftwatch-model-") as folder:
        path = Path(folder) / "model.keras"
        bare.save(path)
        target = io.BytesIO()
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as result:
            for name in sorted(source.namelist()):
                data = source.read(name)
                if name == "metadata.json":
                    data = re.sub(rb'"date_saved": "[^"]*"', b'"date_saved": ""', data)
                result.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return target.getvalue()
