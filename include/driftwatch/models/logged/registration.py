"""Makes a version of what production answered for the training images: what it usually answers, and how right it is on the holdout."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.models import CardMetrics, Holdout, ImportedRecipe, ModelCard, ModelData
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.model import LOGGED
from driftwatch.config.parts import folded
from driftwatch.errors import NeedsAttention
from driftwatch.models.cards import IMPORTED_BY, package_versions
from driftwatch.models.dataset import EVALUATION, ORIGINAL, summary
from driftwatch.models.logged.accounts import settings_of
from driftwatch.models.logged.columns import SCORE
from driftwatch.models.logged.day import together
from driftwatch.models.logged.files import ReadFile
from driftwatch.models.logged.formats import parse, rows_of
from driftwatch.models.logged.join import ACCEPTED, Images, Joined, join
from driftwatch.models.metrics import measure
from driftwatch.models.original_set import digest_of, refuse_other_set, set_keys
from driftwatch.models.predictors.logged import EMBEDDING
from driftwatch.models.registry import digest_of as file_digest
from driftwatch.models.registry import register, version_for

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig


def register_answers(store: MonitorStore, paths: Sequence[Path]) -> str:
    """Registers production's answers for the training images as a version of kind `logged`, and returns it. It is not promoted yet.

    `paths`: files as a day's log has them; an image's key is its path below the folder of the training images. The training set must be
    taken in. Raises BrokenLog, AnsweredTwice, and NeedsAttention where too many images have no answer.
    """
    keys = set_keys(store)
    table = store.storage.read_table(keys.table)
    refuse_other_set(store, table)
    joined = _joined(store, paths, table)
    data = _file_of(joined)
    origin = summary(table.assign(source=ORIGINAL, day="", confidence=1.0))
    about = ModelData(**dict(origin), run_key=None, set=digest_of(table))
    version = version_for(store, data, lambda known: _same(known, about, store.config))
    given = ModelInput.of(store.config.model.input)
    card = ModelCard(
        version=version,
        kind=LOGGED,
        sha256=file_digest(data),
        created_by=IMPORTED_BY,
        parent=None,
        data=about,
        recipe=ImportedRecipe(name="imported", file=", ".join(path.name for path in paths)),
        seeds={},
        history=(),
        classes=store.config.classes,
        input_size=given.height,
        input=given,
        output="probabilities",
        temperature=1.0,
        parameters=0,
        packages=package_versions(LOGGED),
        metrics=CardMetrics(holdout=_holdout(joined, table, store.config)),
    )
    register(store, version, data, card)
    return version


def _joined(store: MonitorStore, paths: Sequence[Path], table: pd.DataFrame) -> Joined:
    settings = settings_of(store.config)
    found = join_training(store, paths, table, store.config)
    _refuse_too_few(found, len(table), settings.max_unanswered, ", ".join(map(str, paths)))
    return found


def join_training(store: MonitorStore, paths: Sequence[Path], table: pd.DataFrame, config: MonitorConfig) -> Joined:
    """The answers in the files, as the `model.logged` of `config` describes them, joined with the images of a training set's `table`."""
    settings = settings_of(config)
    prefix = f"{store.keys.training_images}/"
    below = [key.removeprefix(prefix) for key in table["key"]]
    images = Images(
        table["image_id"].tolist(),
        {key: (image_id, ACCEPTED) for key, image_id in zip(below, table["image_id"], strict=True)},
        store.keys.training_images.partition("/")[2],
        _alike(below),
    )
    # Days may lie elsewhere than the training images did: the pattern is of their keys.
    plain = settings.model_copy(update={"key_pattern": None})
    model = config.model.model_copy(update={"logged": plain})
    files = [parse(ReadFile(str(path), _bytes(path), settled=True), plain) for path in paths]
    return join(*together(rows_of(files, plain)), images, config.model_copy(update={"model": model}), "")


def _alike(paths: Sequence[str]) -> dict[str, str]:
    """Each path by how a person reads it: a Mac writes the ä of a class's folder, or of a file, in two signs. Without paths that read the same."""
    often = Counter(map(folded, paths))
    return {folded(path): path for path in paths if often[folded(path)] == 1}


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NeedsAttention(
            f"{path} cannot be read ({error.strerror}): name the file with production's answers"
        ) from error


def _refuse_too_few(found: Joined, images: int, allowed: float, name: str) -> None:
    unanswered = images - len(found.table)
    if unanswered <= allowed * images:
        return
    unknown = f" Unknown classes: {', '.join(found.unknown_classes)}." if found.unknown_classes else ""
    raise NeedsAttention(
        f"{name}: {unanswered} of {images} training images have no answer; model.logged.max_unanswered allows a share of {allowed:g}. Of "
        f"{found.rows} rows {len(found.table)} were used, {found.earlier} were earlier ones, {found.strangers or 'none'} had no image, "
        f"and {found.reasons or 'none'} were refused.{unknown} An image is named by its path below the images folder, <class>/<file>, or "
        "by the sha256 of its bytes"
    )


def _file_of(joined: Joined) -> bytes:
    """The version's file: the same answers are the same bytes."""
    table = joined.table.sort_values("image_id")
    table["model_version"] = table["model_version"].replace("", None)
    if joined.embeddings is not None:
        table[EMBEDDING] = [joined.embeddings[place].astype("float32") for place in table.index]
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False, compression="zstd")
    return buffer.getvalue()


def _same(known: ModelCard, ours: ModelData, config: MonitorConfig) -> bool:
    return known.classes == config.classes and known.data.set == ours.set


def _holdout(joined: Joined, table: pd.DataFrame, config: MonitorConfig) -> Holdout:
    """On the answered images of the evaluation split."""
    labels = table[table["split"] == EVALUATION].set_index("image_id")["label"]
    rows = joined.table[joined.table["image_id"].isin(labels.index)]
    truth, found = labels.loc[rows["image_id"]].tolist(), rows["prediction"].tolist()
    metrics = measure(truth, found, config.classes, config.performance.confidence)
    return Holdout(**vars(metrics), n=len(rows), mean_score=_mean_score(rows))


def _mean_score(rows: pd.DataFrame) -> float | None:
    """How sure production is of its answers; None without scores."""
    if not len(rows) or not any(name.startswith(SCORE) for name in rows):
        return None
    own = [row[f"{SCORE}{row['prediction']}"] for _, row in rows.iterrows()]
    return round(float(sum(own) / len(own)), 6)
