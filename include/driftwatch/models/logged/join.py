"""Gives each image its answer, and accounts for every row: rows = used + earlier + without image + refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.config.parts import folded
from driftwatch.errors import NeedsAttention
from driftwatch.models.logged import columns as roles
from driftwatch.models.logged.understand import Understood, key_of, text_of, understand
from driftwatch.storage.foreign_files import to_key

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.config import MonitorConfig
    from driftwatch.config.logged import LoggedConfig

ACCEPTED, NO_FILE, NO_KEY = "accepted", "no_file", "no_key"
# A file with the same bytes as an accepted one: its answer is one of that image.
_USABLE = (ACCEPTED, "duplicate")


class AnsweredTwice(NeedsAttention):
    """An image has two answers, and `model.logged.answered_twice` refuses that."""


@dataclass(frozen=True)
class Images:
    """The images that answers are wanted for.

    `ids`: those of the accepted ones, in order. `files`: image id and status of each file, by its path below `folder`. `tail`: how the
    folder's whole address ends, such as `incoming/2026-01-08`. `alike`: the path of a file by how a person reads it (`folded`), for keys that name
    none to the letter.
    """

    ids: Sequence[str]
    files: Mapping[str, tuple[str | None, str]]
    tail: str
    alike: Mapping[str, str] = field(default_factory=dict)

    def file_of(self, key: str, pattern: re.Pattern[str] | None) -> tuple[str | None, str]:
        """The image id and status of the file that a logged key stands for."""
        path = self.path_of(key, pattern)
        return self.files.get(path) or self.files.get(self.alike.get(folded(path), ""), (None, NO_FILE))

    def path_of(self, key: str, pattern: re.Pattern[str] | None) -> str:
        """The path below the folder that a logged key stands for; empty where the pattern does not fit."""
        if pattern is not None:
            found = pattern.search(key)
            return to_key(found[1] or "") if found else ""
        _, inside, below = f"/{key}".rpartition(f"/{self.tail}/") if self.tail else ("", "", "")
        return to_key(below if inside else key.removeprefix("./").lstrip("/"))


@dataclass(frozen=True)
class JoinedCounts:
    """What became of the rows of a log, as `Answers` has it; `scores`, `embeddings`: whether the log has some."""

    rows: int
    used: int
    earlier: int
    strangers: Mapping[str, int]
    reasons: Mapping[str, int]
    unknown_classes: tuple[str, ...]
    other_case: int
    not_the_highest: int
    scores: bool
    embeddings: bool
    versions: Mapping[str, int]


@dataclass(frozen=True)
class Joined:
    """The answers, one for each answered image, in the order of the images. `embeddings` has its order too, and `places` [n] says which of
    the images each is."""

    table: pd.DataFrame
    places: np.ndarray
    embeddings: np.ndarray | None
    rows: int
    earlier: int
    strangers: dict[str, int]
    reasons: dict[str, int]
    unknown_classes: tuple[str, ...]
    other_case: int
    not_the_highest: int

    @property
    def counts(self) -> JoinedCounts:
        return JoinedCounts(
            rows=self.rows,
            used=len(self.table),
            earlier=self.earlier,
            strangers=self.strangers,
            reasons=self.reasons,
            unknown_classes=self.unknown_classes,
            other_case=self.other_case,
            not_the_highest=self.not_the_highest,
            scores=any(name.startswith(roles.SCORE) for name in self.table),
            embeddings=self.embeddings is not None,
            versions=Counter(self.table["model_version"].tolist()),
        )


def join(table: pd.DataFrame, broken: Counter[str], images: Images, config: MonitorConfig, version: str) -> Joined:
    """The answer of each image. `table`: the rows of all files in order, by role; `broken`: those that could not be read, by the reason;
    `version`: who answered, where the log does not say it.

    Raises AnsweredTwice where two answers of one image are refused.
    """
    settings = config.model.logged
    assert settings is not None
    found = understand(table, config)
    ids, status = _images_of(table, images, settings)
    reasons = found.reasons
    reasons[(status == NO_KEY) & (reasons == "")] = NO_KEY
    refused = reasons != ""
    place_of = {image_id: place for place, image_id in enumerate(images.ids)}
    places = np.array([place_of.get(image_id, -1) for image_id in ids], int)
    stranger = ~refused & (places < 0)
    usable = np.flatnonzero(~refused & ~stranger)
    chosen = _last(usable, places, found.times)
    if settings.answered_twice == "refuse" and len(chosen) < len(usable):
        _refuse_twice(table, images, usable, places, settings.section)
    return Joined(
        table=_answers(found, chosen, places, images, config, version),
        places=places[chosen],
        embeddings=None if found.embeddings is None else found.embeddings[chosen],
        rows=len(table) + broken.total(),
        earlier=len(usable) - len(chosen),
        strangers=_counted(np.where(status[stranger] == ACCEPTED, NO_FILE, status[stranger])),
        reasons=_counted(reasons[refused], broken),
        unknown_classes=found.unknown,
        other_case=found.other_case,
        not_the_highest=_not_the_highest(found, chosen, config),
    )


def _images_of(table: pd.DataFrame, images: Images, settings: LoggedConfig) -> tuple[np.ndarray, np.ndarray]:
    """The image id of each row, or None, and what became of its file."""
    if roles.IMAGE_ID in table:
        ids = [text.lower() if (text := text_of(value)) else None for value in table[roles.IMAGE_ID]]
        known = set(images.ids)
        told = {image_id: status for image_id, status in images.files.values() if image_id}
        status = [NO_KEY if one is None else ACCEPTED if one in known else told.get(one, NO_FILE) for one in ids]
        return np.array(ids, dtype=object), np.array(status, dtype=object)
    pattern = re.compile(settings.key_pattern) if settings.key_pattern else None
    keys = [key_of(value) for value in table[roles.KEY]] if roles.KEY in table else [None] * len(table)
    files = {key: images.file_of(key, pattern) for key in set(keys) if key}
    files_of = [(None, NO_KEY) if not key else files[key] for key in keys]
    ids = [image_id if status in _USABLE else None for image_id, status in files_of]
    return np.array(ids, dtype=object), np.array([status for _, status in files_of], dtype=object)


def _last(usable: np.ndarray, places: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Of the rows of each image the last one, by time and then by order; in the order of the images."""
    order = usable[np.lexsort((usable, times[usable], places[usable]))]
    of = places[order]
    return order[np.append(of[1:] != of[:-1], True)] if len(order) else order


def _refuse_twice(table: pd.DataFrame, images: Images, usable: np.ndarray, places: np.ndarray, section: str) -> None:
    """Two files with the same bytes may have an answer each."""
    names = table[roles.KEY].iloc[usable].astype(str).to_numpy() if roles.KEY in table else places[usable]
    found = Counter(zip(places[usable].tolist(), names.tolist(), strict=True))
    twice = [place for (place, _), count in found.items() if count > 1]
    if twice:
        raise answered_twice(len(twice), images.ids[min(twice)], section)


def answered_twice(images: int, first: str, section: str) -> AnsweredTwice:
    """What to raise where so many images have two answers. `first`: the id of one of them."""
    return AnsweredTwice(
        f"{images} images were answered twice, the first is {first}. Set {section}.answered_twice to last, or write each answer once"
    )


def _answers(
    found: Understood, chosen: np.ndarray, places: np.ndarray, images: Images, config: MonitorConfig, version: str
) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, object] = {
        "image_id": np.array(images.ids, dtype=object)[places[chosen]],
        "prediction": found.predictions[chosen],
    }
    if found.scores is not None:
        for number, name in enumerate(config.classes):
            columns[f"{roles.SCORE}{name}"] = found.scores[chosen, number]
    columns["model_version"] = version if found.versions is None else found.versions[chosen]
    columns |= {name: values[chosen] for name, values in found.segments.items()}
    return pd.DataFrame(columns, index=range(len(chosen)))


def _not_the_highest(found: Understood, chosen: np.ndarray, config: MonitorConfig) -> int:
    """How many of the answers are not the class with the highest score."""
    if found.scores is None:
        return 0
    place = {name: number for number, name in enumerate(config.classes)}
    scores = found.scores[chosen]
    own = np.array([place[name] for name in found.predictions[chosen]], int)
    return int((scores[np.arange(len(own)), own] < scores.max(axis=1, initial=0)).sum())


def _counted(reasons: np.ndarray, broken: Mapping[str, int] | None = None) -> dict[str, int]:
    return dict(sorted((Counter(reasons.tolist()) + Counter(broken or {})).items()))
