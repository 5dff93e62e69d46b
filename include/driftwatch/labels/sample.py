"""Which images of a day annotators are asked about: a random order that the seed, the day and the image ids fix."""

from __future__ import annotations

import hashlib
import heapq
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.artifacts.annotation import SampledImage, Stratum
from driftwatch.artifacts.keys import own_key
from driftwatch.artifacts.store import DayStore
from driftwatch.errors import ChangedImage
from driftwatch.images.judged import is_sampled, sampled_from, told_of
from driftwatch.images.layout import place_of_day
from driftwatch.images.outcome import ACCEPTED
from driftwatch.storage.tables import pieces

log = logging.getLogger(__name__)

_SPARE = 1_000  # so many images more than wanted are looked at first, of which some may not be shown

# (image_id, key) -> whether the file at the key still is the image that was taken in.
CanShow = Callable[[str, str], bool]


def seeded_order(ids: Iterable[str], *salt: object) -> list[str]:
    """`ids` in a random order that depends on `salt` and the ids alone, not on the order given."""
    return sorted(ids, key=_by_hash(salt))


def first_in_order(ids: Iterable[str], most: int, *salt: object) -> list[str]:
    """The first `most` of `seeded_order`. Only these are held."""
    return heapq.nsmallest(most, ids, key=_by_hash(salt))


def places_in_order(ids: Iterable[str], *salt: object) -> list[bytes]:
    """What `seeded_order` sorts each of `ids` by."""
    return list(map(_by_hash(salt), ids))


def _by_hash(salt: Sequence[object]) -> Callable[[str], bytes]:
    prefix = "|".join(str(part) for part in salt)
    return lambda item: hashlib.sha256(f"{prefix}|{item}".encode()).digest()


@dataclass(frozen=True)
class Accepted:
    """The accepted images of a day. `keys`: where each file is, by image id."""

    day: DayStore
    keys: dict[str, str]

    @property
    def images(self) -> int:
        """How many there are."""
        return len(self.keys)

    def draw(self, seed: int, wanted: int, can_show: CanShow | None) -> Sample:
        """The first `wanted` images, in the order of the seed, that can be shown."""
        return first_shown(seeded_order(self.keys, *salt_of(self.day, seed)), self.keys, wanted, can_show)

    def among(self, ids: Collection[str]) -> dict[str, str]:
        """Those of `ids` that the day accepted, with their keys."""
        return {image_id: self.keys[image_id] for image_id in ids if image_id in self.keys}


@dataclass(frozen=True)
class ManyAccepted:
    """As `Accepted`, of a day that is judged by a sample. Its manifest is read piece by piece, each time; a draw is the same as from all at once.
    `only`: the ids of those that are drawn from; None for all."""

    day: DayStore
    only: Collection[str] | None = None

    @property
    def images(self) -> int:
        """As `Accepted.images`."""
        found = sampled_from(self.day)
        assert found is not None, "the day is judged by a sample"
        return found

    def draw(self, seed: int, wanted: int, can_show: CanShow | None) -> Sample:
        """As `Accepted.draw`."""
        most = 2 * wanted + _SPARE
        while True:
            order = first_in_order(self._ids(), most, *salt_of(self.day, seed))
            sample = first_shown(order, self.among(order), wanted, can_show)
            if len(sample.images) == wanted or len(order) < most:
                return sample
            most *= 10  # so many files have changed

    def among(self, ids: Collection[str]) -> dict[str, str]:
        """As `Accepted.among`."""
        rows = told_of(self.day, self.day.keys.manifest, ["key", "status"], ids)
        rows = rows[(rows["status"] == ACCEPTED) & rows["image_id"].isin(ids)]
        return _own_keys(self.day, rows["image_id"], rows["key"])

    def pieces(self) -> Iterator[pa.Table]:
        """Their ids, in the order of the manifest."""
        for piece in pieces(self.day.storage, self.day.keys.manifest, ["image_id", "status"]):
            yield piece.filter(pc.equal(piece["status"], ACCEPTED)).select(["image_id"])

    def _ids(self) -> Iterator[str]:
        if self.only is not None:
            yield from self.only
            return
        for piece in self.pieces():
            yield from piece["image_id"].to_pylist()


def salt_of(day: DayStore, seed: int) -> tuple[object, ...]:
    """What the order of a day's images depends on beside their ids."""
    return seed, day.config.name, day.date


def first_shown(order: Sequence[str], keys: Mapping[str, str], wanted: int, can_show: CanShow | None) -> Sample:
    """The first `wanted` images of `order` that can be shown."""
    images: list[SampledImage] = []
    changed: list[SampledImage] = []
    for image_id in order:
        if len(images) == wanted:
            break
        image = SampledImage(image_id=image_id, key=keys[image_id])
        (images if can_show is None or can_show(image.image_id, image.key) else changed).append(image)
    return Sample(tuple(sorted(images, key=lambda image: image.image_id)), tuple(changed))


@dataclass(frozen=True)
class Sample:
    """`images`: what is asked about, sorted by id. `changed`: images that were drawn before them and whose files are others by now.
    `strata`: those of a stratified sample. `extra`: images that are labelled for training alone, sorted by id."""

    images: tuple[SampledImage, ...]
    changed: tuple[SampledImage, ...]
    strata: tuple[Stratum, ...] = ()
    extra: tuple[SampledImage, ...] = ()

    def tell_changed(self, day: DayStore) -> None:
        """Logs how many images are left out; raises ChangedImage where no image is left."""
        if not self.changed:
            return
        advice = (
            f"the files in {place_of_day(day).said} are not those that were taken in: clear ingest_images to take in "
            "what is there now"
        )
        if day.config.labels.blur:
            advice += "; or labels.blur does not say what of them is to be covered, as the lines above tell"
        if not self.images:
            raise ChangedImage(f"none of {len(self.changed)} images can be shown, {advice}")
        log.warning("%d images are left out of the sample, others take their place; %s", len(self.changed), advice)


def accepted_images(day: DayStore) -> Accepted:
    """The images of the day's manifest that the day counts."""
    manifest = day.storage.read_arrow(day.keys.manifest, ["image_id", "key", "status"])
    rows = manifest.filter(pc.equal(manifest["status"], ACCEPTED))
    return Accepted(day, _own_keys(day, rows["image_id"].to_pylist(), rows["key"].to_pylist()))


def accepted_of_any_day(day: DayStore) -> Accepted | ManyAccepted:
    """The same, of a large day without holding them."""
    return ManyAccepted(day) if is_sampled(day) else accepted_images(day)


def _own_keys(day: DayStore, ids: Iterable[str], keys: Iterable[str]) -> dict[str, str]:
    return {image_id: own_key(day.config.name, key) for image_id, key in zip(ids, keys, strict=True)}
