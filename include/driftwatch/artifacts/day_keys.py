"""Where each artifact of one day lives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class DayKeys:
    """The keys of one day's artifacts. `day` is the run's own date, UTC."""

    monitor: str
    day: date

    @property
    def folder(self) -> str:
        """The folder of the day's files."""
        return f"{self.monitor}/days/{self.day.isoformat()}"

    def file(self, name: str) -> str:
        """A file of the day's folder."""
        return f"{self.folder}/{name}"

    @property
    def incoming(self) -> str:
        """The folder of the images as the camera or service left them; read-only."""
        return f"{self.monitor}/incoming/{self.day.isoformat()}"

    @property
    def ingest(self) -> str:
        """The counts of the day and the model version that it is judged by, fixed when the day is first taken in."""
        return self.file("ingest.json")

    @property
    def manifest(self) -> str:
        return self.file("manifest.parquet")

    @property
    def sampled_manifest(self) -> str:
        """The manifest that the sample was drawn from; only where images came later."""
        return self.file("sampled_manifest.parquet")

    def supplement(self, number: int) -> str:
        """The ids of the late images that a supplement was drawn from, those that were not drawn too."""
        return self.file(f"supplement_{number}.parquet")

    @property
    def late_files(self) -> str:
        """How many files came after the day was taken in, as of the last evaluation; only where there are any."""
        return self.file("late_files.json")

    @property
    def features(self) -> str:
        return self.file("features.parquet")

    @property
    def judged(self) -> str:
        """The rows of manifest and features that a large day is judged by; only where it is not judged by all its images."""
        return self.file("judged.parquet")

    @property
    def judged_predictions(self) -> str:
        """The rows of `predictions` about the same images."""
        return self.file("judged_predictions.parquet")

    @property
    def judged_embeddings(self) -> str:
        """The rows of `embeddings` about the same images."""
        return self.file("judged_embeddings.npy")

    @property
    def inputs(self) -> str:
        """The folder of the model's inputs; `driftwatch.images.inputs` reads it."""
        return self.file("inputs")

    @property
    def inputs_index(self) -> str:
        """The number of images in each block; written when all blocks are."""
        return self.file("inputs/index.json")

    def inputs_block(self, number: int, name: str = "") -> str:
        """One block's images, uint8 [n, S, S, 3]. `name`: what it is called besides its number (`InputsIndex.blocks`)."""
        return self.file(f"inputs/{number:06d}{name and f'-{name}'}.npy")

    @property
    def shards(self) -> str:
        """The folder of the files that the tasks of a day in several shards pass on. It is empty when the day is whole."""
        return self.file("shards")

    @property
    def shard_plan(self) -> str:
        """What was decided when the day was cut into shards: how many, model version, input size."""
        return self.file("shards/plan.json")

    def shard(self, number: int, name: str) -> str:
        """One shard's `name`: `listing`, `images` or `predictions` (.parquet), or `embeddings` (.npy). With which blocks it is about before
        it (`driftwatch.images.shard_files`): `sums` and a logged day's `embeddings` (.npy), and `profile` (.bin)."""
        return self.file(f"shards/{number:04d}.{name}")

    @property
    def feature_profile(self) -> str:
        return self.file("features.profile.bin")

    @property
    def drift(self) -> str:
        return self.file("drift.json")

    @property
    def episodes(self) -> str:
        """How the changes stand after the day: which go on, and which ended on it."""
        return self.file("episodes.json")

    @property
    def decision(self) -> str:
        """Whether the day's verdict starts a retraining, and why not."""
        return self.file("decision.json")

    @property
    def predictions(self) -> str:
        return self.file("predictions.parquet")

    @property
    def answers(self) -> str:
        """How production's log and the day's images fit together, where `model.predictions` is logged."""
        return self.file("answers.json")

    @property
    def recheck(self) -> str:
        """How well production's answers and those of the champion's file agree, where `model.predictions` is logged."""
        return self.file("recheck.json")

    @property
    def content_drift(self) -> str:
        """Drift of what is photographed and of the predicted classes, known once the model has answered."""
        return self.file("content_drift.json")

    @property
    def day_map(self) -> str:
        """The day's images and those of the reference in two dimensions."""
        return self.file("map.json")

    @property
    def embeddings(self) -> str:
        """The embeddings: the model's last hidden layer for each image, float16 [n, width], in the order of `predictions`."""
        return self.file("embeddings.npy")

    @property
    def estimate(self) -> str:
        """The accuracy that the model's scores tell before there are labels."""
        return self.file("estimate.json")

    @property
    def annotation(self) -> str:
        return self.file("annotation.json")

    @property
    def annotation_progress(self) -> str:
        """How far the day's pool is and what it has cost, as of the last look while waiting."""
        return self.file("annotation_progress.json")

    @property
    def shown(self) -> str:
        """The folder of the images as annotators see them, named by image id alone."""
        return self.file("shown")

    @property
    def assignments(self) -> str:
        return self.file("assignments.parquet")

    @property
    def labels(self) -> str:
        return self.file("labels.parquet")

    @property
    def labelled(self) -> str:
        """The labelled images with answer, weight, segments and image features, which later days are judged together with. Only where
        segments or slices are."""
        return self.file("labelled.parquet")

    @property
    def strata(self) -> str:
        """The stratum of each image of the day, where the sample was drawn by strata."""
        return self.file("strata.parquet")

    @property
    def extra_labels(self) -> str:
        """Merged labels of the images that were labelled for training alone, as `labels`."""
        return self.file("extra_labels.parquet")

    @property
    def annotators(self) -> str:
        """One row for each annotator of the day: answers, control tasks right, agreement with the consensus."""
        return self.file("annotators.parquet")

    @property
    def performance(self) -> str:
        return self.file("performance.json")

    @property
    def performance_profile(self) -> str:
        return self.file("performance.bin")

    @property
    def whylabs_analysis(self) -> str:
        """What WhyLabs' accuracy monitors said about the day, where `publish.alert_source` asks them."""
        return self.file("whylabs.json")

    @property
    def published(self) -> str:
        return self.file("published.json")

    @property
    def outbox(self) -> str:
        """The folder of the day's alerts, and of the notes who was told. It lies apart, since a day without images has one too."""
        return f"{self.monitor}/outbox/{self.day.isoformat()}"

    @property
    def failure(self) -> str:
        """Where the day failed for good, and why. It is deleted when the day has ended well."""
        return self.file("failure.json")

    @property
    def report(self) -> str:
        return self.file("report.html")
