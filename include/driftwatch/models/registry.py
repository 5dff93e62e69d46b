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

from driftwatch.artifacts.keys import MonitorLayout
from driftwatch.errors import MissingArtifact, NeedsAttention
from driftwatch.lock import exclusive
from driftwatch.models.archive import DamagedModel, check_archive, refused_by_keras
from driftwatch.remedies import broken
from driftwatch.storage import Storage
from driftwatch.storage_formats import json_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras

_VERSION = re.compile(r"^v(\d{4,})-[0-9a-f]{8}$")
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


def versions(storage: Storage, layout: MonitorLayout) -> list[str]:
    """Every registered version, oldest first."""
    found = [name for name in storage.folders(layout.models) if _VERSION.match(name)]
    return sorted((name for name in found if storage.exists(layout.model_card(name))), key=_number)


def card(storage: Storage, layout: MonitorLayout, version: str) -> dict[str, Any]:
    """The version's card; raises UnknownVersion, naming those there are, or DamagedArtifact."""
    try:
        return _record(storage, layout.model_card(version), "sha256")
    except MissingArtifact as error:
        known = (
            ", ".join(versions(storage, layout)) or "none; train the first by `driftwatch champion train MONITOR.yaml`"
        )
        raise UnknownVersion(f"{storage.url(layout.models)} has no version {version!r}; there are: {known}") from error


def champion(storage: Storage, layout: MonitorLayout) -> dict[str, Any] | None:
    """The pointer to the version that production serves: version, previous, promoted_by, sha256, and
    `history`, every champion there was, in order; None before the first."""
    return _record(storage, layout.champion, "version") if storage.exists(layout.champion) else None


def _record(storage: Storage, key: str, needed: str) -> dict[str, Any]:
    """The JSON object at `key`, a pointer or a card; raises DamagedArtifact for anything without the text `needed`."""
    return _as_record(storage, key, storage.read_bytes(key), needed)


def _as_record(storage: Storage, key: str, data: bytes, needed: str) -> dict[str, Any]:
    found = storage.parsed_json(key, data)
    if not isinstance(found, dict) or not isinstance(found.get(needed), str):
        raise broken(storage.url(key), key, f"is no JSON object with a text {needed!r}")
    return found


def champion_version(storage: Storage, layout: MonitorLayout) -> str:
    """The champion's version; raises UnknownVersion where none was promoted yet."""
    pointer = champion(storage, layout)
    if pointer is None:
        raise UnknownVersion(
            f"{layout.monitor} has no champion ({storage.url(layout.champion)}): run `driftwatch champion train` or "
            "`driftwatch champion import` with its monitor file"
        )
    return pointer["version"]


def version_for(
    storage: Storage, layout: MonitorLayout, model: bytes, same: Callable[[dict[str, Any]], bool] = lambda card: True
) -> str:
    """The name of a model by its content, like v0003-1a2b3c4d: the one it is registered by, else the next number.

    `same` looks at the card of a version that has this content: whether it is this model's, or the same weights stand for another.
    """
    digest = _digest(model)[:8]
    known = versions(storage, layout)
    for version in known:
        if version.endswith(f"-{digest}") and same(card(storage, layout, version)):
            return version
    return f"v{_number(known[-1]) + 1 if known else 1:04d}-{digest}"


def register(
    storage: Storage, layout: MonitorLayout, version: str, model: bytes, card: dict[str, Any]
) -> dict[str, Any]:
    """Writes the model, then its card with `version` and `sha256` added. The same model again keeps the first card, and mends a
    file that is gone or damaged.

    Raises NeedsAttention where `version` is the name of another model. Returns the card.
    """
    digest = _digest(model)
    if storage.exists(layout.model_card(version)):
        known = _record(storage, layout.model_card(version), "sha256")
        if known["sha256"] != digest:
            raise NeedsAttention(
                f"{storage.url(layout.model(version))} is another model already: take a new version name"
            )
        if not storage.exists(layout.model(version)) or _digest(storage.read_bytes(layout.model(version))) != digest:
            storage.write_bytes(layout.model(version), model)
        return known
    storage.write_bytes(layout.model(version), model)
    whole = {**card, "version": version, "sha256": digest}
    storage.write_json(layout.model_card(version), whole)
    return whole


def add_to_card(storage: Storage, layout: MonitorLayout, version: str, **parts: Any) -> None:
    """Adds what was learnt of a version after it was registered, such as the gate's table."""
    storage.write_json(layout.model_card(version), {**card(storage, layout, version), **parts})


def promote(
    storage: Storage, layout: MonitorLayout, version: str, promoted_by: str, expected: str | None
) -> dict[str, Any]:
    """Makes `version` the champion by one conditional write, and returns the pointer.

    `expected` is the champion that the decision was made against, None for the first. Raises ChampionMoved where it is no
    longer that: of two promotions at once one succeeds, and no champion is lost from the history. Promoting the champion again
    changes nothing.
    """
    sha256 = card(storage, layout, version)["sha256"]
    with exclusive(storage, f"{layout.champion}.lock") as lock:
        _refuse_gone(storage, layout, version)
        found = storage.read_stored(layout.champion)
        current = _as_record(storage, layout.champion, found.data, "version") if found else None
        if current and current["version"] == version:
            return current
        if (current["version"] if current else None) != expected:
            raise _moved(storage, layout, version, expected)
        pointer = {
            "version": version,
            "previous": expected,
            "promoted_by": promoted_by,
            "sha256": sha256,
            "history": [*champions(current), version],
        }
        lock.check()
        # The lock keeps others out; should this process be frozen here and lose it, the condition does.
        if storage.replace(layout.champion, json_bytes(pointer), found) is None:
            raise _moved(storage, layout, version, expected)
    return pointer


def _moved(storage: Storage, layout: MonitorLayout, version: str, expected: str | None) -> ChampionMoved:
    now = champion(storage, layout)
    return ChampionMoved(
        f"{layout.monitor}: the champion is {now['version'] if now else 'not chosen yet'}, not {expected} as when it was decided that "
        f"{version} takes over, and nothing was changed: start the retraining, or the rollback, again"
    )


def champions(pointer: dict[str, Any] | None) -> list[str]:
    """Every version that was ever champion, in order; one that came back stands there again."""
    if not pointer:
        return []
    return list(pointer.get("history", [name for name in (pointer.get("previous"), pointer["version"]) if name]))


def prune(storage: Storage, layout: MonitorLayout, keep: int) -> list[str]:
    """Deletes the model files, never the cards, of all but the `keep` newest challengers that were never champion; returns their
    versions."""
    with exclusive(storage, f"{layout.champion}.lock") as lock:  # none of them becomes the champion meanwhile
        kept = set(champions(champion(storage, layout)))
        challengers = [version for version in versions(storage, layout) if version not in kept]
        oldest = challengers[: max(0, len(challengers) - keep)]
        old = [version for version in oldest if storage.exists(layout.model(version))]
        for version in old:
            lock.check()
            storage.delete(layout.model(version))
    return old


def load_model(storage: Storage, layout: MonitorLayout, version: str) -> LoadedModel:
    """The version's model, loaded with Keras' safe mode on after its sha256 was compared with the card's and, of the champion,
    with the pointer's.

    Raises UnknownVersion, DamagedArtifact, or DamagedModel where the file is another, holds code, or promises more than it holds.
    """
    about = card(storage, layout, version)
    _refuse_gone(storage, layout, version)
    data = storage.read_bytes(layout.model(version))
    _compare_digests(storage, layout, version, about, _digest(data))
    for field in ("temperature", "output", "input_size"):
        if field not in about:
            raise broken(storage.url(layout.model_card(version)), layout.model_card(version), f"has no {field!r}")
    model = from_bytes(data, storage.url(layout.model(version)))
    return LoadedModel(version, model, about["temperature"], about["output"] == "logits", about["input_size"])


def _digest(model: bytes) -> str:
    return hashlib.sha256(model).hexdigest()


def _compare_digests(storage: Storage, layout: MonitorLayout, version: str, about: dict[str, Any], digest: str) -> None:
    """Refuses a model file that is not the one its card tells of, and a card that is not the one that became champion."""
    file, card_file = storage.url(layout.model(version)), storage.url(layout.model_card(version))
    if digest != about["sha256"]:
        raise DamagedModel(
            f"{file} has sha256 {digest}, its card says {about['sha256']} ({card_file}): the file was changed or damaged. Restore it "
            "from a backup, import the same model once more by `driftwatch champion import`, or roll back to another version by "
            "`driftwatch champion rollback`"
        )
    pointer = champion(storage, layout)
    if pointer and pointer["version"] == version and pointer.get("sha256", digest) != digest:
        raise DamagedModel(
            f"{file} has sha256 {digest}, as its card says, but {storage.url(layout.champion)} says {pointer['sha256']}: this is not "
            "the model that became champion. Restore model, card and pointer from a backup, or roll back to another version by "
            "`driftwatch champion rollback`, which writes the pointer anew"
        )


def _refuse_gone(storage: Storage, layout: MonitorLayout, version: str) -> None:
    if not storage.exists(layout.model(version)):
        raise UnknownVersion(
            f"{storage.url(layout.model(version))} is gone: of challengers that were never champion only the newest "
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


def _number(version: str) -> int:
    match = _VERSION.match(version)
    return int(match[1]) if match else 0
