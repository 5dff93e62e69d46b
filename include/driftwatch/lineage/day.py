"""What the steps of a day read and write. Each function is called after its step, and takes what the step left behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.answers import Answers
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.label_table import LabelTable
from driftwatch.images.inputs import DayInputs
from driftwatch.images.layout import images_root
from driftwatch.images.shard_files import shard_file
from driftwatch.lineage import verdicts
from driftwatch.lineage.datasets import Dataset, Lineage, folder, objects, place_of

if TYPE_CHECKING:
    from driftwatch.artifacts.publishing import ProfileKind
    from driftwatch.artifacts.store import DayStore
    from driftwatch.images.shards import Shard


def taken_in(day: DayStore) -> Lineage:
    """`ingest_images` and `merge_shards`. Of a day that was cut into shards and is not whole yet, there is the plan alone."""
    keys, storage = day.keys, day.storage
    found = day.find(Ingest)
    if found is None or storage.exists(keys.shard_plan):
        return Lineage((folder(storage, images_root(day)),), objects(storage, keys.shard_plan))
    left = folder(storage, images_root(day), files=found.listed)
    inputs = folder(storage, keys.inputs, rows=found.accepted)
    return Lineage((left,), (*objects(storage, keys.manifest, keys.features, keys.ingest), inputs))


def shards_taken_in(day: DayStore, shards: Sequence[Shard]) -> Lineage:
    keys, storage = day.keys, day.storage
    written = objects(storage, *(keys.shard(shard.number, "images.parquet") for shard in shards))
    return Lineage((folder(storage, images_root(day)),), written)


def shards_profiled(day: DayStore, shards: Sequence[Shard]) -> Lineage:
    from driftwatch.drift.day_profile import PARTS

    keys, storage = day.keys, day.storage
    inputs = DayInputs(day)
    parts = [shard_file(day, inputs, shard, name) for shard in shards for name in PARTS]
    return Lineage(objects(storage, keys.features), objects(storage, *parts))


def shards_predicted(day: DayStore, shards: Sequence[Shard]) -> Lineage:
    keys, storage = day.keys, day.storage
    written = objects(storage, *(keys.shard(shard.number, "predictions.parquet") for shard in shards))
    return Lineage((folder(storage, keys.inputs), *_model(day)), written)


def profiled(day: DayStore) -> Lineage:
    """`profile_features`: the features have its verdicts and quantiles."""
    keys, storage, drift = day.keys, day.storage, day.read(DayDrift)
    checks, columns = tuple(verdicts.of_features(drift)), verdicts.quantiles_of(drift)
    features = [replace(found, checks=checks, columns=columns) for found in objects(storage, keys.features)]
    reference = objects(storage, day.monitor.keys.reference_features(drift.reference_version))
    return Lineage((*features, *reference), objects(storage, keys.feature_profile, keys.drift, keys.report))


def predicted(day: DayStore) -> Lineage:
    """`predict_labels`: what it writes has the verdicts on content and predicted classes, as inputs of their test."""
    keys, storage, drift = day.keys, day.storage, day.read(ContentDrift)
    answers = objects(storage, keys.predictions)
    judged = [replace(found, checks=tuple(verdicts.of_answers(drift))) for found in answers]
    read = (folder(storage, keys.inputs, rows=day.read(Ingest).accepted), *_model(day), *_log(day))
    derived = objects(storage, keys.content_drift, keys.estimate, keys.embeddings)
    return Lineage((*read, *judged), (*answers, *derived))


def asked(day: DayStore) -> Lineage:
    """`create_annotation_pool`."""
    keys, storage = day.keys, day.storage
    read = [keys.manifest, *([keys.predictions] if day.config.labels.needs_predictions else [])]
    plan = objects(storage, keys.annotation)
    return Lineage(objects(storage, *read), (*plan, folder(storage, keys.shown), *pools(day)))


def answered(day: DayStore) -> Lineage:
    """`wait_for_annotations`."""
    return Lineage((*objects(day.storage, day.keys.annotation), *pools(day)), ())


def labelled(day: DayStore) -> Lineage:
    """`merge_annotations`."""
    keys, storage = day.keys, day.storage
    written = objects(storage, keys.assignments, keys.labels, keys.annotators, keys.extra_labels)
    return Lineage((*objects(storage, keys.annotation), *pools(day)), written)


def labelled_by_table(day: DayStore) -> Lineage:
    """`merge_annotations` and `wait_for_annotations`, where labels come from a table."""
    return Lineage(_table(day), objects(day.storage, day.keys.labels))


def evaluated(day: DayStore) -> Lineage:
    """`evaluate_performance`: the predictions have its verdict."""
    keys, storage = day.keys, day.storage
    checks = tuple(verdicts.of_performance(day.read(Performance)))
    judged = [replace(found, checks=checks) for found in objects(storage, keys.predictions)]
    read = objects(storage, keys.labels, keys.manifest)
    return Lineage((*judged, *read), objects(storage, keys.performance, keys.performance_profile, keys.report))


def followed(day: DayStore) -> Lineage:
    """`follow_labels`."""
    found = evaluated(day)
    written = objects(day.storage, day.keys.labels)
    return Lineage((*_table(day), *found.inputs), (*written, *found.outputs))


def published(day: DayStore, kind: ProfileKind) -> Lineage:
    """`upload_features`, `upload_performance`: what lies at each sink by the ledger."""
    from driftwatch.artifacts.nested_keys import LocalSinkKeys
    from driftwatch.artifacts.publishing import UploadLedger

    keys, storage = day.keys, day.storage
    local = LocalSinkKeys(day.monitor.keys.local_profiles)
    sent: list[Dataset] = []
    ledger = day.find(UploadLedger)
    for upload in ledger.uploads if ledger else ():
        if upload.state != "done" or not upload.kind.startswith(kind):
            continue
        if upload.sink == "local":
            sent += objects(storage, local.profile(day.date, upload.kind))
        else:
            place = f"{upload.sink}://{upload.organisation}"
            sent.append(Dataset(place, f"{upload.dataset}/{upload.kind}/{upload.day}"))
    profile = keys.feature_profile if kind == "features" else keys.performance_profile
    return Lineage(objects(storage, profile), (*sent, *objects(storage, keys.published)))


def decided(day: DayStore) -> Lineage:
    """`check_performance`: performance.json has the verdict that it went by."""
    keys, storage = day.keys, day.storage
    checks = tuple(verdicts.of_performance(day.read(Performance)))
    read = [replace(found, checks=checks) for found in objects(storage, keys.performance)]
    return Lineage((*read, *objects(storage, keys.whylabs_analysis)), objects(storage, keys.decision))


def pools(day: DayStore) -> tuple[Dataset, ...]:
    """The day's jobs at the label service, each with the images that it asks about. The service is named by its Airflow connection."""
    plan = day.find(AnnotationPlan)
    place = f"{plan.backend if plan else ''}://{day.config.labels.connection_id}"
    parts = plan.parts if plan else ()
    return tuple(
        Dataset(place, f"pools/{part.pool_id}", rows=len(part.sample) + len(part.extra))
        for part in parts
        if part.pool_id
    )


def _model(day: DayStore) -> tuple[Dataset, ...]:
    """The file of the day's model."""
    from driftwatch.artifacts.models import ModelCard

    keys, version = day.monitor.keys, day.read(Ingest).model_version
    card = day.monitor.find(keys.model_card(version), ModelCard)
    return objects(day.storage, keys.model(version, card.kind)) if card else ()


def _log(day: DayStore) -> tuple[Dataset, ...]:
    """Production's log, where it was read."""
    logged, found = day.config.model.logged, day.find(Answers)
    if logged is None or found is None:
        return ()
    address = _address(day, logged.path_of(day.date))
    return (Dataset(*place_of(address), rows=found.rows, files=found.files),)


def _table(day: DayStore) -> tuple[Dataset, ...]:
    """The table of the truth: its files, or the connection of its database."""
    table, found = day.config.labels.table, day.find(LabelTable)
    if table is None:
        return ()
    rows, files = (found.rows, found.files) if found else (None, None)
    if table.query:
        return (Dataset(f"connection://{table.connection}", "labels.table.query", rows=rows),)
    from driftwatch.config.logged import at_day

    return (Dataset(*place_of(_address(day, at_day(str(table.path), day.date))), rows=rows, files=files),)


def _address(day: DayStore, path: str) -> str:
    """The whole address of a path that may lie below the storage's root."""
    return path if "://" in path else day.storage.url(path)
