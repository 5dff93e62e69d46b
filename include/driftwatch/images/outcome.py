"""What becomes of one file: accepted with its features, hash and input, or quarantined with the reason."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from driftwatch.images.decode import check_file, picture_of
from driftwatch.images.features import image_features
from driftwatch.images.headers import Header, ImageFile, RejectedImage
from driftwatch.images.near_duplicates import HASHED_SIDE, perceptual_hash
from driftwatch.images.picture import DECODING, is_large
from driftwatch.images.resize import Halvings, model_input, rows_and_columns
from driftwatch.images.usual import seen_as_usual

if TYPE_CHECKING:
    from driftwatch.artifacts.model_input import ModelInput
    from driftwatch.config import ImagesConfig
    from driftwatch.images.room import Room

ACCEPTED, DUPLICATE, QUARANTINED, IGNORED = "accepted", "duplicate", "quarantined", "ignored"
_MOST_LETTERS = 500  # of a reason


class About(NamedTuple):
    """What the manifest says of one content. `reason` is empty for an accepted one, or a note if the file is odd."""

    reason: str
    format: str | None = None
    width: int | None = None
    height: int | None = None
    phash: str | None = None


class Outcome(NamedTuple):
    """What became of one distinct content: `features` and `input` of an accepted one."""

    status: str
    about: About
    features: list[float] | None = None
    input: np.ndarray | None = None


class Made(NamedTuple):
    """How inputs, and the features of large images, are made."""

    pixels: ModelInput
    decoding: int


def checked(data: bytes, images: ImagesConfig) -> ImageFile | RejectedImage:
    try:
        return check_file(data, images)
    except RejectedImage as error:
        return error


def outcome_of(file: ImageFile | RejectedImage, images: ImagesConfig, made: Made, room: Room) -> Outcome:
    if isinstance(file, RejectedImage):
        return rejected(file)
    taken = room.take(file.memory)
    try:
        return _accepted(file, images, made)
    except RejectedImage as error:
        return rejected(error)
    finally:
        room.give(taken)


def _accepted(file: ImageFile, images: ImagesConfig, made: Made) -> Outcome:
    """Raises RejectedImage."""
    needed = _needed(file, made)
    if needed is None and (seen := seen_as_usual(file, made.pixels)):
        return Outcome(ACCEPTED, About(file.note, *file.header[:3], seen.phash), seen.features, seen.input)
    picture, note = picture_of(file, images, needed)
    halvings = Halvings(picture.rgb, (picture.height, picture.width))
    header = Header(file.header.format, picture.width, picture.height)
    given = _given(halvings, made.pixels, header)
    about = About(note, *header[:3], perceptual_hash(halvings))
    return Outcome(ACCEPTED, about, image_features(picture), given)


def _needed(file: ImageFile, made: Made) -> tuple[int, int] | None:
    """The rows and columns of averages that are enough for hash and input. None if these need the whole picture, or if that is small."""
    size = file.header.height, file.header.width
    if made.decoding < DECODING or not is_large(*size):
        return None
    needed = rows_and_columns(*(size[::-1] if file.orientation > 4 else size), made.pixels)
    return needed and (max(needed[0], HASHED_SIDE), max(needed[1], HASHED_SIDE))


def _given(picture: Halvings, pixels: ModelInput, header: Header) -> np.ndarray:
    """The model's input. One that cannot be made of this picture is a rejected image, whose size the manifest has."""
    try:
        return model_input(picture, pixels)
    except RejectedImage as error:
        raise RejectedImage(error.kind, str(error), header) from None


def rejected(error: RejectedImage) -> Outcome:
    reason = f"{error.kind}: {stable_text(error)}"
    return Outcome(QUARANTINED, About(reason, *(error.header[:3] if error.header else ())))


def stable_text(error: object) -> str:
    """What a decoder said, in one line, without what changes from run to run (addresses in memory). So the same file has the same
    reason each time."""
    text = re.sub(r"\s+at 0x[0-9a-fA-F]+", "", str(error))
    return "".join(letter if letter.isprintable() else " " for letter in text)[:_MOST_LETTERS]
