"""Where each artifact of a monitor lives. Storage keys are built here, in `day_keys`, `check_keys` and `nested_keys`, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.nested_keys import RetrainingKeys

_IMAGES = ("incoming/", "training/images/")
# Files of a retraining request: its training set, the card of that set, the challenger, and what the gate found.
SET, DATASET_CARD, CHALLENGER, GATE = "set.parquet", "dataset_card.json", "challenger.json", "gate.json"
ONLY_JUDGED, FOLDS = "only_judged.parquet", "folds.parquet"
# The end of a model file's name, by its kind. That of an entry point's kind is `bin`.
_MODEL_FILES = {"keras": "keras", "onnx": "onnx", "endpoint": "json", "logged": "parquet"}


def own_key(monitor: str, key: str) -> str:
    """An image's stored key as it is now. When it was written, the monitor may have had another name and another folder."""
    _, _, rest = key.partition("/")
    return f"{monitor}/{rest}" if rest.startswith(_IMAGES) else key


def images_folder(key: str) -> str:
    """The folder of the storage where an image's file was left: a day's `incoming`, the training images, or the first folder of what
    `images.layout` names. It is read only from there. The file may lie deeper in the folder, or be a link to another file of it."""
    left = key.partition("/")[2].startswith(_IMAGES)
    return "/".join(key.split("/")[:3]) if left else key.partition("/")[0]


@dataclass(frozen=True)
class MonitorKeys:
    """The keys of one monitor's artifacts."""

    monitor: str

    def day(self, day: date) -> DayKeys:
        return DayKeys(self.monitor, day)

    @property
    def days(self) -> str:
        """The folder that holds one folder for each day, named YYYY-MM-DD."""
        return f"{self.monitor}/days"

    @property
    def summaries(self) -> str:
        """The folder of what the overview shows of each month's days: made from them, and made anew where it is missing."""
        return f"{self.monitor}/summaries"

    def summary(self, month: str) -> str:
        """The days of one month, YYYY-MM."""
        return f"{self.summaries}/{month}.json"

    @property
    def incoming(self) -> str:
        """The folder that holds one folder for each day's images as the camera or service left them."""
        return f"{self.monitor}/incoming"

    @property
    def annotation_lock(self) -> str:
        """Held while a pool is created or a day's plan is changed: all days share the project, the exam and the month's limit."""
        return f"{self.monitor}/annotation.lock"

    @property
    def episodes_lock(self) -> str:
        """Held while the episodes of a day, and of those after it, are written: each rests on the one before."""
        return f"{self.monitor}/episodes.lock"

    def probe(self, name: str) -> str:
        """A small image that is written and removed again, to see what the storage allows."""
        return f"{self.monitor}/doctor/{name}.png"

    @property
    def forgotten(self) -> str:
        """The folder of what was forgotten: one folder for each receipt."""
        return f"{self.monitor}/forgotten"

    def forgetting(self, receipt: str, name: str) -> str:
        """A file of a receipt's folder: `work.json` while it goes on, `receipt.json` afterwards."""
        return f"{self.forgotten}/{receipt}/{name}"

    @property
    def training_images(self) -> str:
        """The folder of the original labelled images, `<class>/<file>`."""
        return f"{self.monitor}/training/images"

    def training_image(self, label: str, name: str) -> str:
        """One of them; `name` may have folders of its own."""
        return f"{self.training_images}/{label}/{name}"

    def class_of(self, key: str) -> str:
        """The class in whose folder the labelled image at `key` lies."""
        return key.removeprefix(f"{self.training_images}/").partition("/")[0]

    @property
    def training_set(self) -> str:
        """One row for each original labelled image: image_id, label, split, key, phash."""
        return f"{self.monitor}/training/set.parquet"

    @property
    def splits(self) -> str:
        """The split of every image that was ever in a training set: image_id, phash, split, day."""
        return f"{self.monitor}/training/splits.parquet"

    @property
    def training_inputs(self) -> str:
        """The model's input for the original labelled images, uint8 [n, height, width, 3] in the order of `training_set`."""
        return f"{self.monitor}/training/inputs.npy"

    @property
    def training_pixels(self) -> str:
        """How the pictures in `training_inputs` were made."""
        return f"{self.monitor}/training/pixels.json"

    @property
    def training_features(self) -> str:
        """The features of the original labelled images, in the order of `training_set`."""
        return f"{self.monitor}/training/features.parquet"

    def next_set(self, name: str) -> str:
        """A file of a new training set that is about to replace the old one. At other times there is no such file."""
        return f"{self.monitor}/training/next/{name}"

    @property
    def champion(self) -> str:
        """The pointer to the version that production serves."""
        return f"{self.monitor}/models/champion.json"

    @property
    def mlflow(self) -> str:
        """How far an MLflow registry shows the versions; only with `registry.mlflow`."""
        return f"{self.monitor}/models/mlflow.json"

    @property
    def models_outbox(self) -> str:
        """The folder of the alerts about the models, and of the notes who was told."""
        return f"{self.monitor}/outbox/models"

    @property
    def watch(self) -> str:
        """What the watch found, and when people were told of it."""
        return f"{self.monitor}/watch.json"

    @property
    def watch_lock(self) -> str:
        """Held while `watch` is changed."""
        return f"{self.monitor}/watch.lock"

    @property
    def watch_probe(self) -> str:
        """Written and taken away at each look, to see whether the storage can be written."""
        return f"{self.monitor}/watch.probe"

    @property
    def watch_outbox(self) -> str:
        """The folder of the alerts about what did not happen, and of the notes who was told."""
        return f"{self.monitor}/outbox/watch"

    @property
    def models(self) -> str:
        return f"{self.monitor}/models"

    def model(self, version: str, kind: str = "keras") -> str:
        """The one file of a version; its name says what kind it is."""
        return f"{self.monitor}/models/{version}/model.{_MODEL_FILES.get(kind, 'bin')}"

    def model_card(self, version: str) -> str:
        return f"{self.monitor}/models/{version}/card.json"

    def model_evaluation(self, version: str) -> str:
        """Champion's and challenger's answers on each evaluation image of the gate."""
        return f"{self.monitor}/models/{version}/evaluation.parquet"

    def reference_features(self, version: str, kind: str = "image_quality") -> str:
        """What images without drift look like, one row an image: their features, or the components of their embeddings."""
        return f"{self.monitor}/reference/{version}/{'features' if kind == 'image_quality' else kind}.parquet"

    def reference(self, version: str, kind: str = "image_quality") -> str:
        """The settings of one kind of reference, and the calibrations cached for each batch size."""
        return f"{self.monitor}/reference/{version}/{'reference' if kind == 'image_quality' else kind}.json"

    def reference_projection(self, version: str) -> str:
        """The matrix from the version's embeddings to the components that judge its content, float64 [width + 1, components]."""
        return f"{self.monitor}/reference/{version}/projection.npy"

    def reference_points(self, version: str) -> str:
        """A sample of the held-out images with their ids and the components that judge content, for the map."""
        return f"{self.monitor}/reference/{version}/points.parquet"

    def reference_predictions(self, version: str) -> str:
        """How often the version answers each class on images that it was not trained on."""
        return f"{self.monitor}/reference/{version}/predictions.json"

    def reference_profile(self, version: str) -> str:
        return f"{self.monitor}/reference/{version}/features.profile.bin"

    @property
    def states(self) -> str:
        """The folder of the accepted states. `reference`, `reference_features` and so on take `state_place` in place of a version."""
        return f"{self.monitor}/reference/states"

    def state(self, name: str, version: str = "") -> str:
        """Who accepted the state, and which days it is made of. With a `version`: what that model makes of them."""
        return f"{self.monitor}/reference/{self.state_place(name, version)}/state.json"

    @staticmethod
    def state_place(name: str, version: str = "") -> str:
        """Where a state's reference of image quality lies; with a `version`, those of content and predictions."""
        return f"states/{name}/{version}" if version else f"states/{name}"

    @property
    def mutes(self) -> str:
        """Which features and segments do not alarm, and until when."""
        return f"{self.monitor}/reference/mutes.json"

    def reference_published(self, version: str) -> str:
        """The upload ledger of the version's reference profile."""
        return f"{self.monitor}/reference/{version}/published.json"

    @property
    def local_profiles(self) -> str:
        """The folder of the sink `local`."""
        return f"{self.monitor}/profiles"

    @property
    def retrainings(self) -> str:
        """The folder that holds one folder for each retraining request."""
        return f"{self.monitor}/retraining"

    @property
    def active_retraining(self) -> str:
        """The newest retraining request: run_key, run_id, and the alert's day."""
        return f"{self.retrainings}/active.json"

    def retraining(self, run_key: str, name: str) -> str:
        """The working files of one retraining request, see `nested_keys.run_key`; SET and so on are their names."""
        return f"{self.retrainings}/{run_key}/{name}"

    def of_retraining(self, run_key: str) -> RetrainingKeys:
        """The folders of one retraining request."""
        return RetrainingKeys(f"{self.retrainings}/{run_key}")
