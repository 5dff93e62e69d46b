"""Takes the day's images in.

`ingest_images` alone takes in a day of one shard. It cuts a larger day into shards: parts of at most `images.shard_size` files.
`ingest_shards` then runs once for each batch of shards (a batch is one shard, but of very large days), and `merge_shards` makes one day of their work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.skipmixin import SkipMixin
from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.timezone import utcnow

from driftwatch.errors import EmptyDay, NeedsAttention, TooManyRejects
from driftwatch_airflow.alerts import nothing_to_tell, send_alert
from driftwatch_airflow.decisions import log_decision
from driftwatch_airflow.monitor import DayOperator
from driftwatch_airflow.operators.shards import ShardOperator, sum_counts
from driftwatch_airflow.paths import correction_page
from driftwatch_airflow.run_days import OF_THE_SCHEDULE, whole_from
from driftwatch_airflow.waiting import defer_until, look_again, of_tables, say
from driftwatch_airflow.xcom import XCom

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.artifacts.ingest import Ingest
    from driftwatch.images.shards import Shard
    from driftwatch.lineage.datasets import Lineage

COUNTS = (
    "counts"  # the XCom with the counts of a day that was taken in at once; merge_shards returns those of a larger day
)


class IngestImagesOperator(DayOperator, SkipMixin):
    """Lists the day's files. Takes in a day of one shard; cuts a larger day into shards, and returns their batches.

    This task fixes the day's model version. A repeated run keeps the version that first judged the day.

    :param for_shards: the ids of the tasks that only a day of several shards needs. For other days they are skipped at once.
    :param about: the run's day, and why the run is about it. It is the first line of the log, and one of the task's rendered templates.
    """

    template_fields: Sequence[str] = ("day", "about")
    # The scheduler then skips the tasks of an earlier run's shards too. Else they begin, and fail for want of a shard.
    inherits_from_skipmixin = True

    def __init__(
        self, *, for_shards: Sequence[str] = (), about: str = "{{ about_run(dag_run, params) }}", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.for_shards = for_shards
        self.about = about

    def execute(self, context: Context) -> list[XCom]:
        """Takes the day in. A run of the schedule first waits until its day is delivered. The day of a run by hand is delivered, or its
        form says not to wait."""
        from driftwatch.models.as_trained import refuse_other_champion

        self.log.info("This run is about %s", self.about)
        refuse_other_champion(self.store)
        delivered = whole_from(self.date, self.monitor.schedule)
        if context["dag_run"].run_type in OF_THE_SCHEDULE and utcnow() < delivered:
            say(
                self,
                context,
                f"Images of {self.day} may arrive until {delivered:%Y-%m-%d %H:%M} UTC (schedule.delivery_hours)",
            )
            defer_until(self, delivered, utcnow(), "take_turn")
        return self.take_turn(context)

    def take_turn(self, context: Context, event: Any = None) -> list[XCom]:
        """Takes the day in when the images of earlier days that run now are judged. Called by `execute`, or by the trigger that waited for
        late deliveries or for a table beside the images. The day of a run by hand waits for no other."""
        from driftwatch_airflow.triggers.turn import TurnTrigger, earlier_day_at_work

        dag_run, dag_id = context["dag_run"], self.monitor.monitoring_dag_id
        if dag_run.run_type in OF_THE_SCHEDULE and dag_run.logical_date:
            before = earlier_day_at_work(dag_id, dag_run.logical_date)
            if before:
                say(self, context, f"Days are judged one after another. This one waits for the images of {before}")
                self.defer(trigger=TurnTrigger(dag_id, dag_run.logical_date.isoformat()), method_name="take_in")
        return self.take_in(context)

    def take_in(self, context: Context, event: Any = None) -> list[XCom]:
        """Takes the day in or cuts it; called by `take_turn`, or by the trigger that waited for earlier days. Waits for the
        tables beside the images, as long as `images.wait_hours` says."""
        from driftwatch.images.shards import batches_of
        from driftwatch.images.table_file import MissingTable, StillWritten
        from driftwatch.models.as_trained import refuse_other_champion

        # Checked before the day is rewritten, or anything is paid.
        refuse_other_champion(self.store)
        try:
            found = self._ingest_or_shards(context)
        except (MissingTable, StillWritten) as error:
            look_again(self, context, error, of_tables(self.monitor), "take_turn")
            raise
        if isinstance(found, list):
            return [{**asdict(batch), "name": batch.name} for batch in batches_of(found)]
        context["ti"].xcom_push(COUNTS, _taken_in(self, found))
        dag = self.get_dag()
        if dag:
            # They are skipped now, and not when the scheduler finds nothing to map: the next tasks start sooner.
            self.skip(context["ti"], [dag.get_task(task_id) for task_id in self.for_shards])
        return []

    def _ingest_or_shards(self, context: Context) -> Ingest | list[Shard]:
        """Takes the day in and returns its counts. If it is too large for one task: returns its shards."""
        from driftwatch.artifacts.model_input import ModelInput
        from driftwatch.drift.decoding import decoding_for
        from driftwatch.images.ingest import DayModel, begin_day
        from driftwatch.models.as_trained import as_trained

        version = self._model_version()
        about = ModelInput.of(as_trained(self.store, version).model.input)
        model = DayModel(version, about, decoding_for(self.store, version))
        with _told_where_refused(self, context):
            found = begin_day(self.of_day, model)
        if isinstance(found, list):
            self.log.info("%s files in %s shards; model %s", f"{found[-1].stop:,}", f"{len(found):,}", version)
        return found

    def _model_version(self) -> str:
        from driftwatch.artifacts.ingest import Ingest
        from driftwatch.models import registry

        earlier = self.of_day.find(Ingest)
        if earlier is not None:
            return earlier.model_version
        champion = registry.champion(self.store)
        if champion is None:
            raise NeedsAttention(
                f"{self.storage.url(self.monitor_keys.champion)} does not exist: register a first model with "
                f"`driftwatch champion train` or `driftwatch champion import` (docs/operate/new-monitor.md)"
            )
        return champion.version

    def lineage(self) -> Lineage:
        from driftwatch.lineage import day

        return day.taken_in(self.of_day)


class IngestShardOperator(ShardOperator):
    """Takes the images of a batch of shards in."""

    def execute(self, context: Context) -> dict[str, int]:
        from driftwatch.images.ingest import ingest_shard

        return sum_counts([ingest_shard(self.of_day, shard) for shard in self.shards_of_task()])

    def lineage(self) -> Lineage:
        from driftwatch.lineage import day

        return day.shards_taken_in(self.of_day, self.shards_of_task())


class MergeShardsOperator(DayOperator):
    """Makes one day of what the shards took in: an image that came in two of them counts once."""

    def execute(self, context: Context) -> XCom:
        return self.merge(context)

    def merge(self, context: Context, event: Any = None) -> XCom:
        """Called by `execute`, or by the trigger that waited for a table of segments. It was there when the day was cut, and is read again: somebody
        may be writing it anew."""
        from driftwatch.images.ingest import merge_shards
        from driftwatch.images.table_file import MissingTable, StillWritten

        try:
            with _told_where_refused(self, context):
                found = merge_shards(self.of_day)
        except (MissingTable, StillWritten) as error:
            look_again(self, context, error, of_tables(self.monitor), "merge")
            raise
        return _taken_in(self, found)

    def lineage(self) -> Lineage:
        from driftwatch.lineage import day

        return day.taken_in(self.of_day)


@contextmanager
def _told_where_refused(operator: DayOperator, context: Context) -> Iterator[None]:
    """Tells of a day without images, or with too few that can be used. Skips an empty day if `images.on_empty_day` says so."""
    from driftwatch.artifacts.alerts import NoImages, TooManyUnusable
    from driftwatch.artifacts.ingest import Ingest

    try:
        yield
    except EmptyDay as error:
        send_alert(context, operator.monitor, NoImages(operator.date, reason=str(error)))
        if operator.monitor.images.on_empty_day == "skip":
            raise AirflowSkipException(str(error)) from error
        raise
    except TooManyRejects as error:
        counts = operator.of_day.read(Ingest)
        _log_counts(operator, counts)
        send_alert(context, operator.monitor, TooManyUnusable(operator.date, ingest=counts, reason=str(error)))
        raise


def _taken_in(operator: DayOperator, found: Ingest) -> XCom:
    """For a day that was delivered well: takes an earlier alert about it back, logs its counts, and returns them for XCom."""
    from driftwatch.artifacts.alerts import NoImages
    from driftwatch.labels.supplement import gone_from_sample

    nothing_to_tell(operator.monitor, operator.day, NoImages.source)
    _log_counts(operator, found)
    gone = gone_from_sample(operator.of_day)
    if gone:
        operator.log.warning("%s", gone)
    if found.late:
        operator.log.warning(
            "%s of the %s accepted images came after the day's sample was drawn. Features, drift and predictions include them. %s. What was published of "
            "the day changes with them: publish a correction at %s",
            found.late,
            found.accepted,
            "Nobody is asked about them while images of the sample are gone"
            if gone
            else "create_annotation_pool draws a supplement from them, so that the accuracy does too",
            correction_page(operator.monitor.name, operator.day),
        )
    return _counts(found)


def _log_counts(operator: DayOperator, found: Ingest) -> None:
    log_decision(
        operator.log,
        "images_taken_in",
        f"{found.listed} listed = {found.ignored} ignored + {found.accepted} accepted + {found.duplicate} duplicate + "
        f"{found.quarantined} quarantined {found.reasons}; model {found.model_version}",
        monitor=operator.monitor.name,
        day=operator.day,
        listed=found.listed,
        ignored=found.ignored,
        accepted=found.accepted,
        duplicate=found.duplicate,
        quarantined=found.quarantined,
        quarantined_by_reason=dict(found.reasons),
        late=found.late,
        model_version=found.model_version,
    )


def _counts(found: Ingest) -> XCom:
    """The counts as JSON, for XCom."""
    return found.model_dump(mode="json", exclude_unset=True)
