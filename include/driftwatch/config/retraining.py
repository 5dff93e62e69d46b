"""The section `retraining` of the monitor file."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from driftwatch.config.parts import LARGEST_SEED, Fraction, OpenFraction, Section
from driftwatch.config.retraining_segments import RetrainingSegments

KERAS: Final = "keras"
HANDOVER: Final = "handover"
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_IMPORT_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def _name_of_a_trainer(value: str) -> str:
    if not (_NAME.fullmatch(value) or _IMPORT_PATH.fullmatch(value)):
        raise ValueError(
            f"should be {KERAS}, {HANDOVER}, the name of an installed trainer, or an import path like our_package.training:OurTrainer"
        )
    return value


TrainerName = Annotated[str, AfterValidator(_name_of_a_trainer)]


class RetrainingConfig(Section):
    """The retraining that an alert starts, or a person by the form of the retraining DAG. The form is filled in with these values."""

    trainer: TrainerName | None = Field(
        None,
        description="What trains the challenger. keras: Driftwatch itself, a Keras model. handover: the team does it elsewhere; the run writes the training set for it, and `driftwatch challenger register` takes the model that comes back. The name of a trainer that an installed package brings, or the import path of the team's own, like our_package.training:OurTrainer. null: keras where the champion is a Keras model, else handover.",
    )
    handover_dag: str | None = Field(
        None,
        min_length=1,
        max_length=250,
        pattern=r"^[\w.-]+$",
        description="For handover: the id of the team's own DAG that is triggered once the training set is written. Its conf has `place` (the folder of the set), `monitor` and `run_key`. null: none; the Asset event alone tells of the set.",
    )
    handover_days: int = Field(
        14,
        ge=0,
        le=3650,
        description="For handover: for this many days of data, a training set that was handed over holds back others: an alert meanwhile is attached to it. This ends before, once the model that came back was compared with the champion, or once another model is champion.",
    )
    start_from: Literal["champion", "scratch"] = Field(
        "champion",
        description="What training starts from. champion: the champion is fine-tuned. scratch: a new model is trained by `model.recipe` on the same set.",
    )
    promotion: Literal["auto", "approval", "never"] = Field(
        "auto",
        description="What makes a challenger the champion once it has passed the gate. auto: nothing more is needed. approval: a person approves it. never: it stays a challenger.",
    )
    approval_hours: float = Field(
        48, gt=0, le=24 * 90, description="How many hours an approval may take. After that `on_no_answer` decides."
    )
    on_no_answer: Literal["reject", "approve"] = Field(
        "reject",
        description="What happens if nobody answers in time. reject: the champion stays. approve: the challenger becomes the champion.",
    )
    days_back: int = Field(
        7,
        ge=1,
        le=365,
        description="How many days of labels a retraining takes that an alert has started. The alert's day is one of them.",
    )
    segments: RetrainingSegments = Field(default_factory=RetrainingSegments)
    evaluation_days_back: int = Field(
        60,
        ge=0,
        le=3650,
        description="How many days before the first of these the gate also looks at: evaluation labels of the days since the change began, where the challenger must be better, and of usual days, where it must not be worse. Nothing is trained on them. 0: only the days that are trained on judge.",
    )
    min_new_labels: int = Field(
        30,
        ge=1,
        le=1_000_000,
        description="With fewer human labels on these days, in the segments of `segments.only` if it names any, the run ends, and the champion stays.",
    )
    min_confidence: Fraction = Field(
        0.6, description="A label that fewer than this share of the votes agree on is not trained on."
    )
    evaluation_share: OpenFraction = Field(
        0.4,
        description="The share of the labelled images that is kept for evaluation, for ever. Near-duplicates stay together: a hash of their cluster decides.",
    )
    epochs: int = Field(8, ge=1, le=500, description="How often fine-tuning goes over the training set.")
    learning_rate: float = Field(1e-3, gt=0, le=0.1, description="The highest learning rate of fine-tuning.")
    patience: int = Field(6, ge=0, le=1000, description="As `model.recipe.patience`, for fine-tuning.")
    recent_share: OpenFraction = Field(
        0.5,
        description="The share of each epoch that comes from the labelled days. The rest comes from the original set.",
    )
    imitate_drift: bool = Field(
        True, description="Also train on original images that are damaged in the way in which the drifted days are."
    )
    seed: int = Field(0, ge=0, le=LARGEST_SEED, description="Seed of the training.")
    min_evaluation_labels: int = Field(
        20,
        ge=1,
        le=1_000_000,
        description="With fewer evaluation labels of the recent days there is not enough evidence, and the champion stays.",
    )
    cross_fit: int = Field(
        1,
        ge=1,
        le=10,
        description="Into how many folds the labels are divided that the challenger is trained on. For each fold one more model is trained without it, and the fold judges that one: so all labels of the days with an alert judge, not only `evaluation_share` of them. It takes so many trainings more; 3 is enough. 1: none. It needs `unlabelled_images`, and does nothing where the team trains elsewhere.",
    )
    unlabelled_images: int = Field(
        1000,
        ge=0,
        le=100_000,
        description="How many images of the recent days, and of the clean ones, both models answer without a label. Their answers sharpen the gate's comparison. 0: the labelled images decide alone.",
    )
    max_clean_drop: Fraction = Field(
        0.05,
        description="The gate must rule out that the challenger's accuracy on clean images is lower by more than this: the end of the interval counts, not the estimate.",
    )
    max_class_drop: Fraction = Field(
        0.1,
        description="The champion stays if the recall of any class on clean images fell by more than this and the fall is beyond chance (`gate_confidence`, one error rate for all classes together). It also stays if a class lost half of its recall. There must be images enough to see such a loss with a chance of 80 %: a loss of half, or of this much if this is more.",
    )
    gate_confidence: float = Field(
        0.95,
        gt=0.5,
        lt=1,
        description="The confidence of each of the gate's three one-sided tests: better on the recent days, not worse on clean images, no class worse (one error rate for all classes together).",
    )
    pending_days: int = Field(
        5,
        ge=0,
        le=60,
        description="For so many days of data a challenger waits that seems better where the evidence is not enough: on each of these days that gets labels, with an alert or without, it is compared anew, with the day's evaluation labels added. No other one is trained meanwhile. All comparisons together keep to `gate_confidence`. 0: the first comparison is the last.",
    )
    cooldown_days: int = Field(
        3, ge=0, le=3650, description="For this many days of data after a retraining, alerts start no other one."
    )
    retrain_on_backfill: bool = Field(False, description="Whether backfilled days may start a retraining.")
    keep_challengers: int = Field(
        10,
        ge=1,
        le=100_000,
        description="How many model files are kept of challengers that never became champion; the newest are kept. Cards, and every "
        "version that was ever champion, are kept for ever.",
    )

    @model_validator(mode="after")
    def _dag_has_a_use(self) -> RetrainingConfig:
        if self.handover_dag and self.trainer not in (None, HANDOVER):
            raise ValueError(
                f"handover_dag is triggered for trainer: {HANDOVER} alone: leave it out for {self.trainer}"
            )
        return self
