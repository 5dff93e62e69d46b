"""
### The day of an image classifier

Takes in the day's images and profiles their features. Lets the champion (the model that serves) predict each image. Has people label
a random sample, and measures the model against their labels. Publishes both, and starts the retraining DAG when the model has really
got worse.

- **Re-run a day**: clear its run, or trigger with `day`. Nothing is paid, created or counted twice.
- **Trigger without `day`**: handles the last day that is over and delivered. A day that is not over needs `day` and `unfinished_day`.
- **Backfill**: `airflow backfill create --dag-id <this DAG> --from-date … --to-date …`, or the Backfill form.
- **See what it would cost**: trigger with `dry_run`.

Drift (the images changed) is told in the morning, before any label exists. It only informs: what starts a retraining is measured
performance alone.

Where labels come by themselves, from a table (`labels.backend: table`), nobody is asked. The run waits for the table, judges the day, and
goes on looking until the labels are complete or `labels.wait_days` are over. Then it publishes the correction, once. A monitor without
labels has only the steps of its images.
"""

from __future__ import annotations

from datetime import datetime, time, timezone
from functools import partial
from typing import Any, NamedTuple

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, BaseOperator, Param, TriggerRule

from driftwatch.config import AlertKind, MonitorConfig
from driftwatch.config.labels import TABLE
from driftwatch_airflow.assets import labels_asset
from driftwatch_airflow.failures import day_failed
from driftwatch_airflow.monitor import VERDICT, owner_links, task_defaults
from driftwatch_airflow.operators.annotation import CreateAnnotationPoolOperator, MergeAnnotationsOperator
from driftwatch_airflow.operators.decision import CheckPerformanceOperator, TriggerRetrainingOperator
from driftwatch_airflow.operators.features import ProfileFeaturesOperator, ProfileShardOperator
from driftwatch_airflow.operators.ingest import IngestImagesOperator, IngestShardOperator, MergeShardsOperator
from driftwatch_airflow.operators.label_table import (
    CheckCorrectionOperator,
    CompareWithPeopleOperator,
    FollowLabelsOperator,
    MergeCheckOperator,
    MergeTableOperator,
    WaitForTableOperator,
)
from driftwatch_airflow.operators.mlflow import TellMlflowOperator
from driftwatch_airflow.operators.performance import EvaluatePerformanceOperator
from driftwatch_airflow.operators.predictions import PredictLabelsOperator, PredictShardOperator
from driftwatch_airflow.operators.publish import PublishOperator
from driftwatch_airflow.operators.shards import SHARD_NAME
from driftwatch_airflow.operators.telling import EndDayOperator, TellFailureOperator, TellModelsOperator, TellOperator
from driftwatch_airflow.refused import dags_of_monitors
from driftwatch_airflow.run_days import about_run, run_day
from driftwatch_airflow.sensors.annotation import WaitForAnnotationsOperator
from driftwatch_airflow.timetable import DayDAG, days_at_once, each_day, late_alert

# Two runs at once, such as a backfill and a manual run, must not spend, publish or ask for a retraining at the same moment.
ONE_AT_A_TIME: dict[str, Any] = {"max_active_tis_per_dag": 1}
# On a day of one shard the tasks for several shards are skipped, and the others run. On a skipped empty day nothing has succeeded, so
# everything is skipped.
SHARDED_OR_NOT: dict[str, Any] = {"trigger_rule": TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS}
OF_LABELS: tuple[AlertKind, ...] = ("performance", "too_few_labels", "short_pool")

PARAMS = {
    "day": Param(
        None,
        type=["null", "string"],
        format="date",
        title="Day",
        description="The day to handle, YYYY-MM-DD in UTC. Empty: the day of a logical date in the past, else the last day that is over "
        "and delivered (schedule.delivery_hours). The run's Driftwatch tab says which day it is.",
    ),
    "unfinished_day": Param(
        False,
        type="boolean",
        title="Handle a day that has not ended",
        description="Take in, pay for and publish what has arrived of `day` so far. If images come later, a re-run "
        "asks people about some of those too, in a pool of their own. To publish them, you need a correction.",
    ),
    "dry_run": Param(
        False,
        type="boolean",
        title="Dry run",
        description="Profile and predict, and say what labelling would cost. Nothing is created, paid, published or triggered.",
    ),
    "revise": Param(
        False,
        type="boolean",
        title="Publish a correction",
        section="Corrections",
        description="If the day's content has changed since it was published, replace what was published. Without this, a change is refused.",
    ),
}


def monitoring_dag(monitor: MonitorConfig) -> DAG:
    """The daily DAG of one monitor."""
    start, end = monitor.schedule.start_date, monitor.schedule.end_date
    by_table = monitor.labels.backend == TABLE
    with DayDAG(
        dag_id=monitor.monitoring_dag_id,
        description=monitor.description,
        doc_md=__doc__,
        schedule=each_day(monitor),
        start_date=datetime.combine(start, time.min, tzinfo=timezone.utc),
        end_date=datetime.combine(end, time.max, tzinfo=timezone.utc) if end else None,
        catchup=monitor.schedule.catchup is True,
        max_active_runs=days_at_once(monitor),
        deadline=late_alert(monitor),
        tags=["driftwatch", "monitoring", monitor.name],
        owner_links=owner_links(monitor),
        params=PARAMS,
        user_defined_macros={
            "run_day": partial(run_day, schedule=monitor.schedule),
            "about_run": partial(about_run, schedule=monitor.schedule),
        },
        default_args=task_defaults(monitor) | {"on_failure_callback": day_failed(monitor)},
    ) as dag:
        images = take_in(monitor)
        if not monitor.labels.labelled:
            ends = [images.uploaded, images.predicted]
        elif by_table:
            ends = labels_of_table(monitor, images)
        else:
            ends = judge(monitor, images, labels_by_people(monitor, images)).ends
        # The steps that tell people end the graph, and their success says nothing of the day. With this step the run also fails if the day failed.
        ends >> EndDayOperator(task_id="day_done", monitor=monitor)
        if monitor.notifiers:
            ends >> TellFailureOperator(task_id="tell_failure", monitor=monitor)
    return dag


class Images(NamedTuple):
    """The steps of a day's images that others wait for. `taken_in`: by which the day is taken in, at once or in shards."""

    taken_in: list[BaseOperator]
    predicted: BaseOperator
    uploaded: BaseOperator


def take_in(monitor: MonitorConfig) -> Images:
    """Takes the day's images in, profiles them, and asks the model. A monitor without labels has these steps alone."""
    ingest_images = IngestImagesOperator(
        task_id="ingest_images",
        monitor=monitor,
        for_shards=["ingest_shards", "merge_shards", "profile_shards", "predict_shards"],
    )
    ingest_shards = IngestShardOperator.partial(
        task_id="ingest_shards", monitor=monitor, map_index_template=SHARD_NAME
    ).expand(shard=ingest_images.output)
    merge_shards = MergeShardsOperator(task_id="merge_shards", monitor=monitor)
    profile_shards = ProfileShardOperator.partial(
        task_id="profile_shards", monitor=monitor, map_index_template=SHARD_NAME
    ).expand(shard=ingest_images.output)
    profile_features = ProfileFeaturesOperator(
        task_id="profile_features", monitor=monitor, map_index_template=VERDICT, **SHARDED_OR_NOT
    )
    upload_features = PublishOperator(task_id="upload_features", monitor=monitor, kind="features", **ONE_AT_A_TIME)
    predict_shards = PredictShardOperator.partial(
        task_id="predict_shards", monitor=monitor, map_index_template=SHARD_NAME
    ).expand(shard=ingest_images.output)
    predict_labels = PredictLabelsOperator(
        task_id="predict_labels", monitor=monitor, shards=ingest_images.output, **SHARDED_OR_NOT
    )

    ingest_images >> [profile_features, predict_labels]
    # Only a day of several shards goes this way.
    ingest_shards >> merge_shards >> [profile_shards, predict_shards]
    profile_shards >> profile_features
    predict_shards >> predict_labels
    profile_features >> upload_features
    if monitor.registry.mlflow:  # each day, so what did not get through is caught up, and a moved alias is seen
        tell_mlflow = TellMlflowOperator(task_id="tell_mlflow", monitor=monitor, trigger_rule=TriggerRule.ALL_DONE)
        ingest_images >> tell_mlflow
        if monitor.notifiers:
            tell_mlflow >> TellModelsOperator(task_id="tell_models", monitor=monitor)
    if monitor.notifiers:
        tell_drift = TellOperator(
            task_id="tell_drift", monitor=monitor, kinds=("drift", "empty_day", "too_many_rejects")
        )
        [profile_features, predict_labels] >> tell_drift
    return Images([ingest_images, merge_shards], predict_labels, upload_features)


def labels_by_people(monitor: MonitorConfig, images: Images) -> BaseOperator:
    """People label a random sample; where they only check a table, the steps have names of their own. Returns the last step."""
    checks = monitor.labels.backend == TABLE
    create_annotation_pool = CreateAnnotationPoolOperator(
        task_id="create_annotation_pool", monitor=monitor, **ONE_AT_A_TIME, **SHARDED_OR_NOT
    )
    wait_for_annotations = WaitForAnnotationsOperator(
        task_id="wait_for_people" if checks else "wait_for_annotations", monitor=monitor
    )
    if checks:
        merged: BaseOperator = MergeCheckOperator(task_id="merge_people", monitor=monitor)
    else:
        merged = MergeAnnotationsOperator(
            task_id="merge_annotations", monitor=monitor, outlets=[labels_asset(monitor.name)]
        )
    images.taken_in >> create_annotation_pool
    if monitor.labels.needs_predictions:
        images.predicted >> create_annotation_pool
    create_annotation_pool >> wait_for_annotations >> merged
    return merged


class Judged(NamedTuple):
    """The steps of a verdict that others wait for, and the `ends`, after which the day is done."""

    evaluated: BaseOperator
    uploaded: BaseOperator
    ends: list[BaseOperator]


def judge(monitor: MonitorConfig, images: Images, merged: BaseOperator) -> Judged:
    """Measures the model against the labels, and starts a retraining when it has got worse."""
    evaluate_performance = EvaluatePerformanceOperator(
        task_id="evaluate_performance", monitor=monitor, map_index_template=VERDICT
    )
    upload_performance = PublishOperator(
        task_id="upload_performance",
        monitor=monitor,
        kind="performance",
        changed="keep" if monitor.labels.backend == TABLE else "refuse",
        **ONE_AT_A_TIME,
    )
    check_performance = CheckPerformanceOperator(
        task_id="check_performance",
        monitor=monitor,
        on_alert="trigger_retraining",
        on_ok="performance_ok",
        map_index_template=VERDICT,
        **ONE_AT_A_TIME,
    )
    trigger_retraining = TriggerRetrainingOperator(task_id="trigger_retraining", monitor=monitor)
    performance_ok = EmptyOperator(task_id="performance_ok")

    [images.predicted, merged] >> evaluate_performance
    # WhyLabs has one profile for a day: performance joins it after the features.
    [evaluate_performance, images.uploaded] >> upload_performance
    if monitor.publish.alert_source == "whylabs":
        upload_performance >> check_performance
    evaluate_performance >> check_performance >> [trigger_retraining, performance_ok]
    if monitor.notifiers:
        evaluate_performance >> TellOperator(task_id="tell_performance", monitor=monitor, kinds=OF_LABELS)
        if monitor.publish.alert_source != "local":
            tell_analysis = TellOperator(task_id="tell_analysis", monitor=monitor, kinds=("performance",))
            [trigger_retraining, performance_ok] >> tell_analysis
    return Judged(evaluate_performance, upload_performance, [upload_performance, trigger_retraining, performance_ok])


def labels_of_table(monitor: MonitorConfig, images: Images) -> list[BaseOperator]:
    """Labels come from a table, over days. Returns the last steps of the day's first verdict; what follows goes on as labels come."""
    outlets = [labels_asset(monitor.name)]
    wait_for_annotations = WaitForTableOperator(task_id="wait_for_annotations", monitor=monitor, **SHARDED_OR_NOT)
    merge_annotations = MergeTableOperator(task_id="merge_annotations", monitor=monitor, outlets=outlets)
    images.taken_in >> wait_for_annotations
    wait_for_annotations >> merge_annotations
    judged = judge(monitor, images, merge_annotations)

    follow_labels = FollowLabelsOperator(
        task_id="follow_labels", monitor=monitor, outlets=outlets, trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
    )
    [judged.evaluated, judged.uploaded] >> follow_labels
    corrected = correct(monitor, follow_labels)
    if monitor.labels.check_with:
        compare_with_people = CompareWithPeopleOperator(task_id="compare_with_people", monitor=monitor)
        [judged.evaluated, labels_by_people(monitor, images)] >> compare_with_people
        corrected.append(compare_with_people)
    corrected >> EndDayOperator(task_id="labels_done", monitor=monitor)
    if monitor.notifiers:
        corrected >> TellFailureOperator(task_id="tell_late_failure", monitor=monitor)
    return judged.ends


def correct(monitor: MonitorConfig, follow_labels: BaseOperator) -> list[BaseOperator]:
    """When a day's labels are complete: publishes the correction, and starts a retraining if only they show an alert. Returns the last steps."""
    upload_correction = PublishOperator(
        task_id="upload_correction", monitor=monitor, kind="performance", changed="revise", **ONE_AT_A_TIME
    )
    check_correction = CheckCorrectionOperator(
        task_id="check_correction",
        monitor=monitor,
        on_alert="retrain_after_correction",
        on_ok="correction_ok",
        map_index_template=VERDICT,
        **ONE_AT_A_TIME,
    )
    retrain_after_correction = TriggerRetrainingOperator(task_id="retrain_after_correction", monitor=monitor)
    correction_ok = EmptyOperator(task_id="correction_ok")

    follow_labels >> [upload_correction, check_correction]
    if monitor.publish.alert_source == "whylabs":
        upload_correction >> check_correction
    check_correction >> [retrain_after_correction, correction_ok]
    if monitor.notifiers:
        tell_correction = TellOperator(task_id="tell_correction", monitor=monitor, kinds=OF_LABELS)
        follow_labels >> tell_correction
        if monitor.publish.alert_source != "local":  # WhyLabs may have found what the day's own verdict did not
            [retrain_after_correction, correction_ok] >> tell_correction
    return [upload_correction, retrain_after_correction, correction_ok]


globals().update(dags_of_monitors(monitoring_dag, "monitoring"))
