"""The model registry: models/<version>/ with the version's one file and card.json, and the pointer to the champion. The card says of what
kind the file is; the registry keeps, hashes and deletes files of every kind alike.

A version exists when its card exists. The card is written last. It holds the model's sha256, which is checked at each load. Every card is
kept for ever, and so is the model of every version that was ever champion: these judge days, and a rollback can go back to any of
them. Of the challengers that were never promoted, only the newest keep their model (`retraining.keep_challengers`).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts import base
from driftwatch.artifacts.days import model_versions, version_number
from driftwatch.artifacts.models import ChampionPointer, ModelCard
from driftwatch.artifacts.nested_keys import lock_of
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import MissingArtifact, NeedsAttention
from driftwatch.models.archive import DamagedModel
from driftwatch.storage.formats import json_bytes
from driftwatch.storage.lock import exclusive

if TYPE_CHECKING:
    from collections.abc import Callable


class UnknownVersion(NeedsAttention):
    """The registry has no such version."""


class ChampionMoved(NeedsAttention):
    """Another version became champion since the decision was made."""


def versions(store: MonitorStore) -> list[str]:
    """Every registered version, oldest first."""
    return model_versions(store.storage, store.keys)


def card(store: MonitorStore, version: str) -> ModelCard:
    """The version's card. Raises DamagedArtifact, or UnknownVersion, which names the versions that exist."""
    try:
        return store.read(store.keys.model_card(version), ModelCard)
    except MissingArtifact as error:
        known = ", ".join(versions(store)) or "none; train the first by `driftwatch champion train MONITOR.yaml`"
        raise UnknownVersion(
            f"{store.storage.url(store.keys.models)} has no version {version!r}; there are: {known}"
        ) from error


def champion(store: MonitorStore) -> ChampionPointer | None:
    """The pointer to the version that production serves. None before the first champion. Raises DamagedArtifact."""
    return store.find(store.keys.champion, ChampionPointer)


def champion_version(store: MonitorStore) -> str:
    """The champion's version. Raises UnknownVersion if no version was promoted yet."""
    pointer = champion(store)
    if pointer is None:
        raise UnknownVersion(
            f"{store.keys.monitor} has no champion ({store.storage.url(store.keys.champion)}): run `driftwatch champion train` or "
            "`driftwatch champion import` with its monitor file"
        )
    return pointer.version


def version_for(store: MonitorStore, model: bytes, same: Callable[[ModelCard], bool] = lambda card: True) -> str:
    """The name of a model by its content, like v0003-1a2b3c4d. If the model is registered, its name; else a name with the next number.

    `same` gets the card of a version with this content. It says whether the card is this model's: the same weights may also belong
    to another model.
    """
    digest = digest_of(model)[:8]
    known = versions(store)
    for version in known:
        if version.endswith(f"-{digest}") and same(card(store, version)):
            return version
    return f"v{version_number(known[-1]) + 1 if known else 1:04d}-{digest}"


def register(store: MonitorStore, version: str, model: bytes, card: ModelCard) -> ModelCard:
    """Writes the model, then its card with this `version` and the model's `sha256`. If the same model is registered
    again, the first card stays, and a missing or damaged file is repaired.

    Raises NeedsAttention if `version` is the name of another model. Returns the card.
    """
    digest = digest_of(model)
    if known := store.find(store.keys.model_card(version), ModelCard):
        key = model_key(store, known)
        if known.sha256 != digest:
            raise NeedsAttention(f"{store.storage.url(key)} is another model already: take a new version name")
        if not store.storage.exists(key) or digest_of(store.storage.read_bytes(key)) != digest:
            store.storage.write_bytes(key, model)
        return known
    store.storage.write_bytes(store.keys.model(version, card.kind), model)
    whole = card.model_copy(update={"version": version, "sha256": digest})
    store.write(store.keys.model_card(version), whole)
    return whole


def add_to_card(store: MonitorStore, version: str, **parts: Any) -> None:
    """Adds to the card what became known after the version was registered, such as the gate's table. `parts` are fields of ModelCard."""
    store.write(store.keys.model_card(version), card(store, version).model_copy(update=parts))


def promote(store: MonitorStore, version: str, promoted_by: str, expected: str | None) -> ChampionPointer:
    """Makes `version` the champion by one conditional write, and returns the pointer.

    `expected` is the version that was champion when the decision was made; None for the first. Raises ChampionMoved if another version
    is champion now. So only one of two promotions at the same time succeeds, and the history loses no champion. To promote the
    champion again changes nothing.
    """
    about = card(store, version)
    with exclusive(store.storage, lock_of(store.keys.champion)) as lock:
        _refuse_gone(store, about)
        found = store.storage.read_stored(store.keys.champion)
        current = base.from_bytes(store.storage, store.keys.champion, found.data, ChampionPointer) if found else None
        if current and current.version == version:
            return current
        if (current.version if current else None) != expected:
            raise _moved(store, version, expected)
        pointer = ChampionPointer(
            version=version,
            previous=expected,
            promoted_by=promoted_by,
            sha256=about.sha256,
            history=(*(current.champions if current else ()), version),
        )
        lock.check()
        # The lock keeps others out. If this process is frozen here and loses the lock, the conditional write keeps them out.
        if store.storage.replace(store.keys.champion, json_bytes(pointer.stored()), found) is None:
            raise _moved(store, version, expected)
    return pointer


def _moved(store: MonitorStore, version: str, expected: str | None) -> ChampionMoved:
    now = champion(store)
    return ChampionMoved(
        f"{store.keys.monitor}: the champion is {now.version if now else 'not chosen yet'}, not {expected} as when it was decided that "
        f"{version} takes over, and nothing was changed: start the retraining, or the rollback, again"
    )


def prune(store: MonitorStore, keep: int) -> list[str]:
    """Deletes the model files of challengers that were never champion, except those of the `keep` newest. Never deletes a card. Returns
    the versions whose files were deleted."""
    with exclusive(store.storage, lock_of(store.keys.champion)) as lock:  # so none becomes champion meanwhile
        pointer = champion(store)
        kept = set(pointer.champions if pointer else ())
        challengers = [version for version in versions(store) if version not in kept]
        oldest = challengers[: max(0, len(challengers) - keep)]
        files = {version: model_key(store, card(store, version)) for version in oldest}
        old = [version for version, key in files.items() if store.storage.exists(key)]
        for version in old:
            lock.check()
            store.storage.delete(files[version])
    return old


def is_kept(store: MonitorStore, version: str) -> bool:
    """Whether the version's model file is still there. Raises UnknownVersion."""
    return store.storage.exists(model_key(store, card(store, version)))


def model_key(store: MonitorStore, about: ModelCard) -> str:
    """Where the file of the card's version lies."""
    return store.keys.model(about.version, about.kind)


def model_file(store: MonitorStore, version: str) -> tuple[bytes, ModelCard]:
    """The bytes of the version's model file, and its card. Before that, the file's sha256 is compared with the card's; for the champion,
    also with the pointer's.

    Raises UnknownVersion, DamagedArtifact, or DamagedModel if the file is not the registered one.
    """
    about = card(store, version)
    _refuse_gone(store, about)
    data = store.storage.read_bytes(model_key(store, about))
    _compare_digests(store, about, digest_of(data))
    return data, about


def digest_of(model: bytes) -> str:
    """The sha256 of a model's file."""
    return hashlib.sha256(model).hexdigest()


def _compare_digests(store: MonitorStore, about: ModelCard, digest: str) -> None:
    """Refuses a model file that does not match its card. For the champion, also refuses a file that does not match the pointer."""
    version = about.version
    file, card_file = store.storage.url(model_key(store, about)), store.storage.url(store.keys.model_card(version))
    if digest != about.sha256:
        raise DamagedModel(
            f"{file} has sha256 {digest}, its card says {about.sha256} ({card_file}): the file was changed or damaged. Restore it "
            "from a backup, import the same model once more by `driftwatch champion import`, or roll back to another version by "
            "`driftwatch champion rollback`"
        )
    pointer = champion(store)
    if pointer and pointer.version == version and (pointer.sha256 or digest) != digest:
        raise DamagedModel(
            f"{file} has sha256 {digest}, as its card says, but {store.storage.url(store.keys.champion)} says {pointer.sha256}: this is not "
            "the model that became champion. Restore model, card and pointer from a backup, or roll back to another version by "
            "`driftwatch champion rollback`, which writes the pointer anew"
        )


def _refuse_gone(store: MonitorStore, about: ModelCard) -> None:
    key = model_key(store, about)
    if not store.storage.exists(key):
        raise UnknownVersion(
            f"{store.storage.url(key)} is gone: of challengers that were never champion only the newest "
            "(retraining.keep_challengers) keep their model; train it anew, or name another version"
        )
