"""The monitor file's sections about the model: how it is run, trained, and retrained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from driftwatch.config.parts import LARGEST_SEED, OpenShare, Section, Share

Side = Annotated[int, Field(ge=16, le=1024)]


class AugmentationConfig(Section):
    """How a training image is varied each time it is seen. Brightness and tint are shares of half the range of values."""

    smallest_box: float = Field(
        0.7, gt=0, le=1, description="Smallest side of the random box, as a share of the image's."
    )
    stretch: float = Field(0.15, ge=0, le=1, description="Largest change of the box's aspect, as a logarithm.")
    flip: bool = Field(True, description="Mirror every other image; off where left and right matter.")
    contrast: Share = Field(0.25, description="Largest change of contrast.")
    brightness: Share = Field(0.25, description="Largest change of brightness.")
    tint: Share = Field(0.08, description="Largest change of each colour.")


class RecipeConfig(Section):
    """How a model is trained from scratch. Fine-tuning takes `retraining.epochs`, `retraining.learning_rate` and
    `retraining.patience` and all at the full input size, and the rest from here.
    """

    architecture: Literal["small_resnet"] = Field(
        "small_resnet", description="The network; see driftwatch.models.architecture."
    )
    width: int = Field(
        24, ge=4, le=256, description="Filters of the first convolution; the stages have 2, 4 and 8 times as many."
    )
    epochs: int = Field(38, ge=1, le=1000, description="Passes over the training set.")
    small_share: float = Field(
        0.79,
        ge=0,
        lt=1,
        description="Share of the epochs that come first, on images of `small_size`; it saves time by the square.",
    )
    small_size: Side = Field(
        64, description="Side in pixels of those images; no effect where `model.input_size` is no larger."
    )
    learning_rate: float = Field(
        4e-3, gt=0, le=1, description="Peak learning rate of AdamW; half of it at the full size."
    )
    batch_size: int = Field(32, ge=1, le=4096, description="Images for each training step.")
    weight_decay: float = Field(0.05, ge=0, le=10, description="AdamW's weight decay.")
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="Share of each label that is spread over all classes.")
    warmup_share: Share = Field(
        0.1, description="Share of the steps in which the learning rate rises; then it falls by a cosine."
    )
    patience: int = Field(
        10,
        ge=0,
        le=1000,
        description="Epochs at the full size without a lower validation loss after which training stops and keeps its best epoch; 0: never.",
    )
    augmentation: AugmentationConfig = Field(default_factory=AugmentationConfig)


class ModelConfig(Section):
    """The classifier's input, how it is run, and how it is trained."""

    input_size: Side = Field(96, description="Side in pixels of the square that images are squashed to.")
    batch_size: int = Field(
        256, ge=1, le=256, description="Images for each prediction batch; inputs are stored in blocks of 256."
    )
    recipe: RecipeConfig = Field(default_factory=RecipeConfig)


class RetrainingConfig(Section):
    """What an alert starts, or a person by the retraining DAG's form, whose fields begin with what stands here."""

    start_from: Literal["champion", "scratch"] = Field(
        "champion", description="champion: fine-tune it. scratch: train a new model by `model.recipe` on the same set."
    )
    promotion: Literal["auto", "approval", "never"] = Field(
        "auto", description="Who moves the champion when the gate is passed."
    )
    approval_hours: float = Field(
        48, gt=0, le=24 * 90, description="Time limit of an approval; then `on_no_answer` holds."
    )
    on_no_answer: Literal["reject", "approve"] = Field(
        "reject", description="What an approval without an answer in time does; with reject the champion stays."
    )
    days_back: int = Field(
        7, ge=1, le=365, description="Days of labels that an alert's retraining takes, the alert's day included."
    )
    min_new_labels: int = Field(
        30, ge=1, le=1_000_000, description="Fewer human labels in the range end the run: the champion stays."
    )
    min_confidence: Share = Field(0.6, description="Consensus below this share of votes is not trained on.")
    evaluation_share: OpenShare = Field(
        0.4,
        description="Share of labelled images that is kept for evaluation for ever, by a hash of their near-duplicates' cluster.",
    )
    epochs: int = Field(8, ge=1, le=500, description="Passes over the training set when fine-tuning.")
    learning_rate: float = Field(1e-3, gt=0, le=0.1, description="Peak learning rate when fine-tuning.")
    patience: int = Field(6, ge=0, le=1000, description="As `model.recipe.patience`, when fine-tuning.")
    recent_share: OpenShare = Field(
        0.5, description="Share of each epoch that comes from the labelled days; the rest replays the original set."
    )
    imitate_drift: bool = Field(True, description="Also train on original images damaged as the drifted days are.")
    seed: int = Field(0, ge=0, le=LARGEST_SEED, description="Seed of training.")
    min_evaluation_labels: int = Field(
        20,
        ge=1,
        le=1_000_000,
        description="Fewer evaluation labels of the recent days are not enough evidence: the champion stays.",
    )
    max_clean_drop: Share = Field(
        0.05,
        description="Loss of accuracy on clean images that the gate must be able to rule out (interval, not point).",
    )
    max_class_drop: Share = Field(
        0.1,
        description="A class whose recall on clean images fell by more than this, beyond chance over all classes together (one error rate, `gate_confidence`), keeps the champion; so does one that lost half. Whether one would be seen that lost half, or this much where that is more, must be at least 80 % sure.",
    )
    gate_confidence: float = Field(
        0.95,
        gt=0.5,
        lt=1,
        description="Confidence of each of the gate's one-sided tests: better on recent days, not worse on clean images, no class worse (all classes at one error rate).",
    )
    cooldown_days: int = Field(
        3, ge=0, le=3650, description="Days of data after a retraining in which alerts start no other."
    )
    retrain_on_backfill: bool = Field(False, description="Whether backfilled days may start a retraining.")
    keep_challengers: int = Field(
        10,
        ge=1,
        le=100_000,
        description="Newest challengers never promoted whose model files are kept; cards, and every version that was ever champion, "
        "are kept for ever.",
    )
