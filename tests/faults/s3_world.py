"""A whole day on s3://, by the real operators: from the listing of its images to the note that it is done."""

from __future__ import annotations

import hashlib
import io
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pandas as pd
import pytest
from airflow.sdk import BaseNotifier
from tests.driftwatch.artifacts import samples
from tests.stores import monitor_store

from driftwatch.config import NotifierConfig
from driftwatch.drift import Reference
from driftwatch.drift.against_reference import MIN_REFERENCE
from driftwatch.drift.content import Content
from driftwatch.drift.content_and_predictions import build_held_out_references
from driftwatch.drift.whylogs_profiles import feature_profile
from driftwatch.images.features import COLUMNS
from driftwatch.models.predictors.keras import KerasPredictor
from driftwatch.storage.lock import exclusive
from driftwatch_airflow.operators.decision import CheckPerformanceOperator
from driftwatch_airflow.operators.features import ProfileFeaturesOperator, ProfileShardOperator
from driftwatch_airflow.operators.ingest import IngestImagesOperator, IngestShardOperator, MergeShardsOperator
from driftwatch_airflow.operators.performance import EvaluatePerformanceOperator
from driftwatch_airflow.operators.predictions import PredictLabelsOperator, PredictShardOperator
from driftwatch_airflow.operators.telling import EndDayOperator, TellOperator

from ..faulty_s3 import FaultyS3, serving
from .end_state import end_state
from .touches import call_of
from .world import IMAGES, VERSION, Case

BUCKET = "days"
# What is listed is all that lies below a folder, or what lies directly in it; or all once more by boto3, where obstore cannot tell a name.
LISTINGS = {"FOLDER": "(?=.*delimiter=)", "RELIST": "(?=.*encoding-type=)", "LIST": "(?!.*(delimiter|encoding-type)=)"}
RANGED = ("RANGE", "ROWS")
_NAMES = re.compile(
    r"(?<=/shards/)\d+(?:\.\d+-\d+-[0-9a-f]{16})?(?=\.)|(?<=-)(?:sums:)?[0-9a-f]{11,16}(?=[./]|$)|(?<=/inputs/)\d+-[0-9a-f]{12}(?=\.)|(?<=/)\d+(?=\.)|(?<=summaries/)[\d-]+"
)
MODEL = b"a model"


class Told(BaseNotifier):
    """A notifier that keeps what it was given, by monitor."""

    given: Counter[str] = Counter()  # noqa: RUF012 - of the process, as a mailbox would be

    def notify(self, context: Any) -> None:
        alert = context["alert"]
        Told.given[f"{alert.monitor} {alert.kind}"] += 1


@cache
def _reference_of(rate: float, seed: int, least: int) -> tuple[pd.DataFrame, Reference]:
    """Sixty images and what was calibrated on them, which takes a second."""
    features = pd.DataFrame(np.random.default_rng(1).random((60, len(COLUMNS))), columns=list(COLUMNS))
    return features, Reference.build(features, rate, seed, least)


@cache
def _answers_of() -> tuple[pd.DataFrame, Content]:
    """What the model said of as many images as a reference of content needs, so that the day has a map beside them."""
    held_out = np.arange(2 * MIN_REFERENCE) % 2 == 1
    answers = pd.DataFrame(
        {
            "image_id": [hashlib.sha256(bytes([number])).hexdigest() for number in range(len(held_out))],
            "trained_on": ~held_out,
            "held_out": held_out,
            "prediction": np.where(held_out, "dog", "cat"),
        }
    )
    return answers, Content("embeddings", np.random.default_rng(2).normal(128, 40, (len(held_out), 2)))


class S3Day(Case):
    """A day whose storage is on S3, before its first task; `shards`: whether it is cut into several."""

    shards = False

    def __post_init__(self) -> None:
        self._open()
        for number in range(IMAGES):
            self._deliver(f"{number}.jpg", photo(number))
        self._deliver("copy.jpg", photo(0))
        self._deliver("torn.jpg", photo(0)[:200])
        known = [
            (
                self._picture(key := f"{self.layout.training_images}/{number}.jpg"),
                ["cat", "dog"][number % 2],
                "evaluation",
                key,
            )
            for number in range(4)
        ]
        known_set = pd.DataFrame(known, columns=["image_id", "label", "split", "key"])
        self.storage.write_table(self.layout.training_set, known_set)
        self._champion()
        self._reference()

    def _deliver(self, name: str, data: bytes) -> None:
        self.storage.write_bytes(f"{self.keys.incoming}/{name}", data)

    def _champion(self) -> None:
        digest = hashlib.sha256(MODEL).hexdigest()
        card = samples.FIRST_CARD | {
            "version": VERSION,
            "sha256": digest,
            "classes": list(self.monitor.classes),
            "input_size": self.monitor.model.input.height,
            "temperature": 1.0,
            "output": "logits",
        }
        self.storage.write_bytes(self.layout.model(VERSION), MODEL)
        self.storage.write_json(self.layout.model_card(VERSION), card)
        self.storage.write_json(self.layout.champion, {"version": VERSION, "sha256": digest})

    def _reference(self) -> None:
        profiling = self.monitor.profiling
        features, reference = _reference_of(profiling.false_alarm_rate, profiling.seed, profiling.min_images)
        store = monitor_store(self.storage, self.layout, self.monitor)
        reference.save(store, VERSION)
        self.storage.write_bytes(self.layout.reference_profile(VERSION), feature_profile(features, self.day))
        build_held_out_references(store, VERSION, *_answers_of())

    def _steps(self, revise: bool) -> dict[str, Callable[[], Any]]:
        common = {"monitor": self.monitor, "day": self.day.isoformat()}
        operators = {
            "ingest_images": IngestImagesOperator(task_id="ingest_images", about="", **common),
            "merge_shards": MergeShardsOperator(task_id="merge_shards", **common),
            "profile_features": ProfileFeaturesOperator(task_id="profile_features", **common),
            "tell_drift": TellOperator(task_id="tell_drift", kinds=("drift",), **common),
            "evaluate_performance": EvaluatePerformanceOperator(task_id="evaluate_performance", **common),
            "check_performance": CheckPerformanceOperator(
                task_id="check_performance", on_alert="trigger_retraining", on_ok="performance_ok", **common
            ),
            "tell_performance": TellOperator(task_id="tell_performance", kinds=("performance",), **common),
            "day_done": EndDayOperator(task_id="day_done", **common),
        }
        steps: dict[str, Callable[[], Any]] = {
            name: (lambda op=op: op.execute(self._context())) for name, op in operators.items()
        }
        return {**super()._steps(revise), **steps, **self._sharded_steps(common, steps["ingest_images"])}

    def _sharded_steps(self, common: dict[str, Any], ingest: Callable[[], Any]) -> dict[str, Callable[[], Any]]:
        """The steps that get the shards which ingest_images returned."""
        cut: list[dict[str, Any]] = []

        def ingest_images() -> None:
            cut[:] = ingest()
            assert bool(cut) is self.shards

        def each(kind: Any, task_id: str) -> None:
            for shard in cut:
                kind(task_id=task_id, shard=shard, **common).execute(self._context())

        return {
            "ingest_images": ingest_images,
            "ingest_shards": lambda: each(IngestShardOperator, "ingest_shards"),
            "profile_shards": lambda: each(ProfileShardOperator, "profile_shards"),
            "predict_shards": lambda: each(PredictShardOperator, "predict_shards"),
            "predict_labels": lambda: PredictLabelsOperator(task_id="predict_labels", shards=cut, **common).execute(
                self._context()
            ),
        }

    @classmethod
    def tasks(cls) -> list[str]:
        """The day's tasks in an order in which the DAG may run them."""
        taken_in = ["ingest_images", *(["ingest_shards", "merge_shards"] if cls.shards else [])]
        answered = [*(["predict_shards"] if cls.shards else []), "predict_labels"]
        profiled = [*(["profile_shards"] if cls.shards else []), "profile_features"]
        morning = [*taken_in, *profiled, "upload_features", *answered, "tell_drift"]
        pool = ["create_annotation_pool", "wait_for_annotations", "merge_annotations"]
        evening = ["evaluate_performance", "tell_performance", "upload_performance", "check_performance", "day_done"]
        return [*morning, *pool, *evening]

    def end_state(self) -> dict[str, Any]:
        """What counts in the end, and every artifact: those without times, ids and names of this day byte for byte."""
        artifacts: dict[str, str] = {}
        for item in self.storage.list(self.monitor.name):
            name = self.call_of(item.key)
            stays = item.key.startswith(self.layout.days) and item.key.endswith((".parquet", ".npy", ".json"))
            stays = stays and not re.search(r"manifest|assignments|annotat|published|lock", item.key)
            artifacts[name] = self._without_names(self.storage.read_bytes(item.key)) if stays else "there"
        # A message may come twice where the note that it was sent could not be written; it is never lost.
        told = sorted(key.split()[1] for key in Told.given if key.split()[0] == self.monitor.name)
        manifest = self.storage.read_table(self.keys.manifest)["status"].value_counts().to_dict()
        return {**end_state(self), "manifest": manifest, "told": told, **artifacts}

    def says_of_images(self, fault: str) -> bool:
        """Whether images of the day, or of a shard of it, are quarantined with the fault as the reason."""
        parts = [item.key for item in self.storage.list(self.keys.shards) if item.key.endswith(".images.parquet")]
        for key in parts or [self.keys.manifest]:
            table = self.storage.read_table(key)
            if fault in table.loc[table["status"] == "quarantined"].to_string():
                return True
        return False

    def _without_names(self, data: bytes) -> str:
        """A digest that is the same for the same day of another monitor."""
        for name, plain in ((self.monitor.name, "monitor"), (self.day.isoformat(), "day")):
            data = data.replace(name.encode(), plain.encode())
        return hashlib.sha256(data).hexdigest()[:12]

    def call_of(self, key: str) -> str:
        return _NAMES.sub("{}", call_of(key.removeprefix(f"{self.monitor.name}/")))

    def calls(self, asked: list[str]) -> list[str]:
        """The storage calls among the requests, each once, in order: `PUT days/{}/labels.parquet`.

        `RANGE`: part of an object is read, first its end; `ROWS`: a further part of it. `DELETE`: one object or more, of which it names the first.
        """
        names, ranged = [], set[str]()
        for request in asked:
            method, _, address = request.partition(" ")
            path, _, query = address.partition("?")
            key, given = path.removeprefix(f"/{BUCKET}").strip("/"), parse_qs(query)
            if "range" in given:
                method = "ROWS" if key in ranged else "RANGE"
                ranged.add(key)
            elif "first" in given:
                method, key = "DELETE", given["first"][0]
            elif not key:
                method = next(kind for kind, asks in LISTINGS.items() if re.search(asks, query))
                key = given.get("prefix", [""])[0].rstrip("/")
            names.append(f"{method} {self.call_of(key.removeprefix(f'{self.monitor.name}/'))}")
        return list(dict.fromkeys(names))

    def pattern(self, call: str) -> tuple[str, str]:
        """Method and regular expression of the requests that are this call."""
        method = call.split()[0]
        path = self.key_pattern(call)
        if method in LISTINGS:
            return "GET", rf"^/{BUCKET}/?\?{LISTINGS[method]}(.*&)?prefix={path}/?(&|$)"
        if method == "DELETE":
            return "POST", rf"^/{BUCKET}/?\?delete.*&first={path}$"
        part = "(?=.*&range=)" if method in RANGED else "(?!.*&range=)"
        return "GET" if method in RANGED else method, rf"^/{BUCKET}/{path}\?{part}"

    def key_pattern(self, call: str) -> str:
        """A regular expression for the call's key, from the bucket on."""
        key = f"{self.monitor.name}/{self.monitor.name}/{call.partition(' ')[2]}"
        return re.escape(key).replace(r"\{\}", "[^/&]+")

    def remove(self) -> None:
        for item in self.storage.list(self.monitor.name):
            self.storage.delete(item.key)


def photo(number: int) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(number).integers(0, 255, (40, 48, 3), np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def _answered(model: Any, blocks: Any, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """What a model would say: always the second class, the surer the brighter the image is."""
    light = np.concatenate([np.zeros(0), *(block.reshape(len(block), -1).mean(axis=1) for block in blocks)])
    return np.stack([np.zeros(len(light)), 1 + light / 255], axis=1), np.stack([light, light], axis=1).astype("float16")


def settings(sharded: bool) -> dict[str, Any]:
    """Settings for an alert in the day, somebody to tell it to, and the smallest images."""
    told = NotifierConfig.model_construct(notifier=f"{__name__}.Told", arguments={}, on=("performance", "drift"))
    return {
        "images": {"max_reject_share": 0.9, **({"shard_size": 2} if sharded else {})},
        "model": {"input_size": 16},
        "performance": {"policy": ("floor",), "min_labels": 1, "judge": "measured", "pool_days": 1},
        "notifiers": (told,),
    }


@contextmanager
def s3_of_the_day(patch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    """S3 as a worker finds it by its environment; its own client does not try again, so that a fault is a fault of the call."""
    import boto3

    with serving() as (server, endpoint):
        for name, value in {
            "AWS_ACCESS_KEY_ID": "k",
            "AWS_SECRET_ACCESS_KEY": "s",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
        }.items():
            patch.setenv(name, value)
        for module in ("ingest", "one_pass", "shards"):
            patch.setattr(f"driftwatch.images.{module}.BLOCK", 2)
        patch.setattr(
            "driftwatch.models.predictors.keras.opened", lambda data, facts, name: KerasPredictor(facts, None)
        )
        patch.setattr("driftwatch.models.predict.check_shapes", lambda *_: None)
        patch.setattr("driftwatch.models.predictors.from_images.ImagePredictor.log_scores", _answered)
        # Its default is the real sleep: a lock that cannot be written, or whose answer was lost, would be waited for.
        patch.setattr(exclusive.__wrapped__, "__defaults__", (20, 120, 3600, time.sleep))
        patch.setattr(CheckPerformanceOperator, "do_branch", lambda *_: None)
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield server
