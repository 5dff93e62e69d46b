"""The section `execution` of the monitor file, and the file that has it for all monitors."""

from __future__ import annotations

from typing import Final

from pydantic import Field, field_validator

from driftwatch.config.parts import Section

# Beside the monitor files: what all of them have, where they say nothing else.
FOR_ALL = "execution.yaml"
KUBERNETES: Final = "KubernetesExecutor"
# Every step, of all three DAGs of a monitor, with the MB that its pod gets by default: measured with the libraries on days of 50,000 images, and
# with room above it (docs/operate/execution.md).
_LIGHT, _DAY, _MODEL, _TRAINING = 512, 1024, 1536, 3072
STEPS: Final[dict[str, int]] = {
    **dict.fromkeys(("ingest_images", "ingest_shards", "merge_shards", "profile_shards", "profile_features", "evaluate_performance"), _DAY),
    **dict.fromkeys(("predict_shards", "predict_labels", "change_reference"), _MODEL),
    **dict.fromkeys(("collect_training_set", "take_up_challenger", "evaluate_challenger", "refresh_reference"), _MODEL),
    "train_challenger": _TRAINING,
    **dict.fromkeys(
        (
            "upload_features", "create_annotation_pool", "wait_for_annotations", "merge_annotations", "upload_performance",
            "check_performance", "trigger_retraining", "performance_ok", "day_done", "wait_for_people", "merge_people",
            "follow_labels", "compare_with_people", "upload_correction", "check_correction", "retrain_after_correction",
            "correction_ok", "labels_done", "tell_drift", "tell_performance", "tell_analysis", "tell_correction",
            "tell_failure", "tell_late_failure", "tell_mlflow", "tell_models", "choose_action", "show_plan", "roll_back",
            "hand_over", "trigger_handover", "gate", "approve_promotion", "promote_model", "keep_champion",
            "tell_mlflow_challenger", "tell_outcome", "retraining_done", "forget_images",
        ),
        _LIGHT,
    ),
}  # fmt: skip


class StepExecution(Section):
    """How a step is run. What is left out is as Airflow, or Driftwatch, has it."""

    queue: str | None = Field(None, min_length=1, max_length=200, description="The Celery queue whose workers run it.")
    pool: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="The Airflow pool whose slots it takes. It must be there: Airflow never starts a task of an unknown pool.",
    )
    priority: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="Airflow's priority_weight: among tasks that wait, higher ones begin first. Null: 1.",
    )
    retries: int | None = Field(
        None,
        ge=0,
        le=100,
        description="How often it is tried again. Null: 7, over an hour to 74 minutes. An error that needs somebody is not tried again.",
    )
    timeout_minutes: float | None = Field(
        None,
        gt=0,
        le=60 * 24 * 31,
        description="A try that takes a worker for longer is ended and counts as failed. Waiting for people or for a table takes no worker, and does not count.",
    )
    executor: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="The executor, where Airflow has several (`[core] executor`), by its name there.",
    )
    memory_mb: int | None = Field(
        None,
        ge=128,
        le=1_000_000,
        description="On Kubernetes the memory that its pod asks for and may have. Null: nothing is asked for, except by `executor: KubernetesExecutor`, where it is what was measured (docs/operate/execution.md).",
    )
    cpu: float | None = Field(
        None,
        gt=0,
        le=1000,
        description="On Kubernetes the cores that its pod asks for; it may take more where they are idle.",
    )

    def over(self, other: StepExecution) -> StepExecution:
        """These settings, and the other's where these say nothing."""
        mine = {name: value for name, value in self if value is not None}
        return other.model_copy(update=mine)


class ExecutionConfig(Section):
    """Where and how the steps are run: queue, pool, priority, retries, time limits, executor, memory and cores. The file `execution.yaml`
    beside the monitor files has the same section for all monitors; what a monitor file says goes before it."""

    defaults: StepExecution = Field(default_factory=StepExecution, description="For every step.")
    steps: dict[str, StepExecution] = Field(
        default_factory=dict,
        description="For one step, by the id of its task, such as `train_challenger`; it goes before `defaults`.",
    )
    day_timeout_hours: float | None = Field(
        None,
        gt=0,
        le=24 * 400,
        description="A day's run that takes longer is failed. It must be longer than people and the tables beside the images (`images.wait_hours`) are waited for, together. Null: no limit.",
    )
    retraining_timeout_hours: float | None = Field(
        None,
        gt=0,
        le=24 * 400,
        description="A retraining that takes longer, approval included, is failed. Null: no limit.",
    )

    @field_validator("steps")
    @classmethod
    def _are_steps(cls, value: dict[str, StepExecution]) -> dict[str, StepExecution]:
        strangers = [name for name in value if name not in STEPS]
        if strangers:
            raise ValueError(f"{', '.join(strangers)}: no such step; there are {', '.join(sorted(STEPS))}")
        return value

    def of(self, step: str) -> StepExecution:
        """What is said of one step."""
        return self.steps.get(step, StepExecution()).over(self.defaults)

    def over(self, other: ExecutionConfig) -> ExecutionConfig:
        """This section, and the other's where this says nothing. What this says of all steps goes before what the other says of one."""
        steps = {
            name: self.steps.get(name, StepExecution()).over(self.defaults.over(other.steps.get(name, StepExecution())))
            for name in {*self.steps, *other.steps}
        }
        return ExecutionConfig(
            defaults=self.defaults.over(other.defaults),
            steps=dict(sorted(steps.items())),
            day_timeout_hours=self.day_timeout_hours or other.day_timeout_hours,
            retraining_timeout_hours=self.retraining_timeout_hours or other.retraining_timeout_hours,
        )
