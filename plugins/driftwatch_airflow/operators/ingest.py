"""Takes the day's images in.

A day of one shard is taken in by `ingest_images` alone. A larger one it cuts into shards: `ingest_shards` is mapped over them, and
`merge_shards` makes one day of their work.
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
from driftwatch_airflow.monitor import DayOperator
from driftwatch_airflow.operators.shards import ShardOperator
from driftwatch_airflow.paths import correction_page
from driftwatch_airflow.run_days import OF_THE_SCHEDULE, whole_from

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.images.shards import Shard

COUNTS = "counts"  # XCom of a day that was taken in at once; of a larger one merge_shards returns them


class IngestImagesOperator(DayOperator, SkipMixin):
    """Lists the day's objects; takes a day of one shard in, and cuts a larger one into the shards that it returns.

    The model version is fixed here: a repeated run keeps the one that the day was first judged by.

    :param for_shards: the ids of the tasks that only a day of several shards needs; they are skipped at once for others.
    :param about: the run's day, and why it is that one: the first line of the run's log, and among the task's rendered templates.
    """

    template_fields: Sequence[str] = ("day", "about")

    def __init__(
        self, *, for_shards: Sequence[str] = (), about: str = "{{ about_run(dag_run, params) }}", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.for_shards = for_shards
        self.about = about

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Waits until a day of the schedule is delivered, then takes it in; a run by hand is of one that is, or was told not to wait."""
        from airflow.providers.standard.triggers.temporal import DateTimeTrigger

        from driftwatch.models.as_trained import refuse_other_champion

        self.log.info("This run is about %s", self.about)
        refuse_other_champion(self.store)
        delivered = whole_from(self.date, self.monitor.schedule)
        if context["dag_run"].run_type in OF_THE_SCHEDULE and utcnow() < delivered:
            self.log.info("Images of %s may arrive until %s (schedule.delivery_hours)", self.day, delivered)
            self.defer(trigger=DateTimeTrigger(moment=delivered), method_name="take_in")
        return self.take_in(context)

    def take_in(self, context: Context, event: Any = None) -> list[dict[str, Any]]:
        """Takes the day in or cuts it; called by `execute`, or by the trigger that waited for late deliveries."""
        from driftwatch.models.as_trained import refuse_other_champion

        # Before the day is rewritten, or anything paid.
        refuse_other_champion(self.store)
        shards, counts = self._shards_or_counts(context)
        if shards:
            return [{**asdict(shard), "name": shard.name} for shard in shards]
        _taken_in(self, counts)
        context["ti"].xcom_push(COUNTS, counts)
        dag = self.get_dag()
        if dag:
            # Now, rather than when the scheduler finds that there is nothing to map: the next tasks wait for nothing.
            self.skip(context["ti"], [dag.get_task(task_id) for task_id in self.for_shards])
        return []

    def _shards_or_counts(self, context: Context) -> tuple[list[Shard], dict[str, Any]]:
        """The shards of a day that is too large for one task; else none, and the counts of the day, which is taken in now."""
        from driftwatch.images.ingest import cut_into_shards, ingest_day
        from driftwatch.images.listing import list_day
        from driftwatch.models.as_trained import as_trained

        images = self.monitor.images
        version = self._model_version()
        input_size = as_trained(self.store, version).model.input_size
        with _told_where_refused(self, context):
            listed = list_day(self.of_day, images)
            shards = cut_into_shards(self.of_day, images, input_size, version, listed)
            if not shards:
                return [], ingest_day(self.of_day, images, input_size, version, listed)
        self.log.info("%s files in %s shards; model %s", len(listed), len(shards), version)
        return shards, {}

    def _model_version(self) -> str:
        from driftwatch.models import registry

        if self.storage.exists(self.keys.ingest):
            return str(self.storage.read_json(self.keys.ingest)["model_version"])
        champion = registry.champion(self.store)
        if champion is None:
            raise NeedsAttention(
                f"{self.storage.url(self.layout.champion)} does not exist: register a first model with "
                f"`driftwatch champion train` or `driftwatch champion import` (README, 'Your own classifier')"
            )
        return str(champion["version"])


class IngestShardOperator(ShardOperator):
    """Takes one shard's images in."""

    def execute(self, context: Context) -> dict[str, int]:
        from driftwatch.images.ingest import ingest_shard

        return ingest_shard(self.of_day, self.monitor.images, self.shard_of_day())


class MergeShardsOperator(DayOperator):
    """Makes one day of what the shards took in: an image that came in two of them counts once."""

    def execute(self, context: Context) -> dict[str, Any]:
        from driftwatch.images.ingest import merge_shards

        with _told_where_refused(self, context):
            counts = merge_shards(self.of_day, self.monitor.images)
        _taken_in(self, counts)
        return counts


@contextmanager
def _told_where_refused(operator: DayOperator, context: Context) -> Iterator[None]:
    """A day without images, or with too few that can be used, is told; an empty one is skipped where the setting says so."""
    try:
        yield
    except EmptyDay as error:
        send_alert(context, operator.monitor, "empty_day", {"day": operator.day, "reason": str(error)})
        if operator.monitor.images.on_empty_day == "skip":
            raise AirflowSkipException(str(error)) from error
        raise
    except TooManyRejects as error:
        counts = operator.storage.read_json(operator.keys.ingest)
        send_alert(context, operator.monitor, "too_many_rejects", {"day": operator.day, "reason": str(error), **counts})
        raise


def _taken_in(operator: DayOperator, counts: dict[str, Any]) -> None:
    """The day came as it should: nothing of its delivery is left to tell, and its counts go to the log."""
    nothing_to_tell(operator.monitor, operator.day, "delivery")
    operator.log.info(
        "%s listed = %s ignored + %s accepted + %s duplicate + %s quarantined %s; model %s",
        counts["listed"],
        counts.get("ignored", 0),
        counts["accepted"],
        counts["duplicate"],
        counts["quarantined"],
        counts["reasons"],
        counts["model_version"],
    )
    if counts.get("late"):
        operator.log.warning(
            "%s of the %s accepted images came after the day's sample was drawn. Features, drift and predictions count them; the sample "
            "and with it the accuracy are of the others. What was published changes with them: %s",
            counts["late"],
            counts["accepted"],
            correction_page(operator.monitor.name, operator.day),
        )
