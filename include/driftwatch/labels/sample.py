"""Which images of a day annotators are asked about: a random order that the seed, the day and the image ids fix."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from driftwatch.artifacts.annotation import SampledImage, Stratum
from driftwatch.artifacts.keys import own_key
from driftwatch.artifacts.store import DayStore
from driftwatch.errors import ChangedImage

log = logging.getLogger(__name__)

# (image_id, key) -> whether the file at the key still is the image that was taken in.
CanShow = Callable[[str, str], bool]


def seeded_order(ids: Iterable[str], *salt: object) -> list[str]:
    """`ids` in a random order that depends on `salt` and the ids alone, not on the order given."""
    prefix = "|".join(str(part) for part in salt)
    return sorted(ids, key=lambda item: hashlib.sha256(f"{prefix}|{item}".encode()).digest())


@dataclass(frozen=True)
class Accepted:
    """The accepted images of a day. `keys`: where each file is, by image id."""

    day: DayStore
    keys: dict[str, str]

    def draw(self, seed: int, wanted: int, can_show: CanShow | None) -> Sample:
        """The first `wanted` images, in the order of the seed, that can be shown."""
        images: list[SampledImage] = []
        changed: list[SampledImage] = []
        for image_id in seeded_order(self.keys, seed, self.day.config.name, self.day.date):
            if len(images) == wanted:
                break
            image = SampledImage(image_id=image_id, key=self.keys[image_id])
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
            f"the files in {day.storage.url(day.keys.incoming)} are not those that were taken in: clear ingest_images to take in "
            "what is there now"
        )
        if day.config.labels.blur:
            advice += "; or labels.blur does not say what of them is to be covered, as the lines above tell"
        if not self.images:
            raise ChangedImage(f"none of {len(self.changed)} images can be shown, {advice}")
        log.warning("%d images are left out of the sample, others take their place; %s", len(self.changed), advice)


def accepted_images(day: DayStore) -> Accepted:
    """The images of the day's manifest that the day counts."""
    manifest = day.storage.read_table(day.keys.manifest)
    rows = manifest[manifest["status"] == "accepted"]
    monitor = day.config.name
    return Accepted(
        day, {image_id: own_key(monitor, key) for image_id, key in zip(rows["image_id"], rows["key"], strict=True)}
    )
