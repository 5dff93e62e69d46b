"""The words of what the watch finds: what did not happen, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch

from driftwatch.view import advice
from driftwatch.view.alert_words import Words
from driftwatch.view.numbers import percent
from driftwatch.view.words import count, listing, spans_of
from driftwatch.watch.findings import (
    ChampionMissing,
    DagsPaused,
    FilesRefused,
    Finding,
    LateDay,
    LateDays,
    PoolUnanswered,
    ReferenceOld,
    SpendNearLimit,
    StorageNotWritable,
)

_OVER: dict[type[Finding], str] = {
    LateDays: "No day is late any more",
    DagsPaused: "No DAG is paused any more",
    FilesRefused: "No monitor file is refused any more",
    ChampionMissing: "There is a champion again",
    SpendNearLimit: "The month's labels are below their limit again",
    PoolUnanswered: "No pool is without an answer any more",
    StorageNotWritable: "The storage can be written again",
    ReferenceOld: "The reference is no longer old",
}


def finding_words(finding: Finding) -> Words:
    """The words of a finding that begins, goes on or is over."""
    since = {"since": f"{finding.since:%Y-%m-%d %H:%M} UTC"}
    if finding.event == "closed":
        return Words(_OVER[type(finding)], since, advice.NOTHING)
    words = _begun(finding)
    said = f"Still so: {words.said}" if finding.event == "reminder" else words.said
    return replace(words, said=said, numbers={**words.numbers, **since})


@singledispatch
def _begun(finding: Finding) -> Words:
    raise TypeError(f"{type(finding).__name__} has no words: register a function for it in {__name__}")


@_begun.register
def _late_days(finding: LateDays) -> Words:
    begun, never = ([row for row in finding.days if row.begun is state] for state in (True, False))
    told = {"never began": _days(never)} if never else {}
    return Words(
        f"{count(len(finding.days), 'day')} without a verdict: {_days(finding.days)}",
        {**told, **({"began": _days(begun)} if begun else {})},
        f"a verdict is due {finding.hours:g} hours after the day's end (schedule.deadline_hours). Of a day that began, see in its run which task it waits for. A day that never began is run by a backfill. See before whether the DAG is paused, and whether Airflow's scheduler runs. "
        "If days may take longer, raise schedule.deadline_hours. Days that were due more than 14 days ago are told no more; the calendar shows them.",
    )


def _days(rows: Sequence[LateDay]) -> str:
    return listing(spans_of([row.day for row in rows]), 5)


@_begun.register
def _dags_paused(finding: DagsPaused) -> Words:
    return Words(
        f"{listing(finding.dags)} {'is' if len(finding.dags) == 1 else 'are'} paused",
        {},
        "unpause it, if nobody means it to be. While the monitoring DAG is paused no day is watched, and afterwards days are lost without "
        "schedule.catchup or a backfill. While the retraining DAG is paused, an alert that asks for it fails. Who means it takes dag_paused out of notifiers.on.",
    )


@_begun.register
def _files_refused(finding: FilesRefused) -> Words:
    return Words(
        f"{count(len(finding.files), 'monitor file')} refused: {listing(finding.files)}",
        {"reason": finding.reason},
        "correct in the file what the reason names. `driftwatch check FILE` says whether it is right. The DAGs come back by themselves; days meanwhile are lost without schedule.catchup or a backfill.",
    )


@_begun.register
def _champion_missing(finding: ChampionMissing) -> Words:
    return Words(
        "There is no champion that could judge a day",
        {"reason": finding.reason},
        "register a first model, or restore the file from a backup. Each day fails at ingest_images until then; clear those afterwards.",
    )


@_begun.register
def _spend_near_limit(finding: SpendNearLimit) -> Words:
    share = finding.spent / finding.limit
    return Words(
        f"Labels of {finding.month} take {finding.spent:.2f} of {finding.limit:.2f} USD, {percent(share)}",
        {"limit": "labels.max_cost_per_month; told from watch.spend_share on"},
        "days that would pass the limit fail at create_annotation_pool before anything is paid. Raise the limit, or lower labels.sample_size or labels.overlap.",
    )


@_begun.register
def _pool_unanswered(finding: PoolUnanswered) -> Words:
    ends = f"{finding.ends:%Y-%m-%d %H:%M} UTC" if finding.ends else "unknown"
    return Words(
        f"Nobody has answered in the pool of {finding.day}",
        {"pool": finding.pool, "ends": ends},
        "look at the pool at the service by which people label: whether it is open, who may see it, its price and the balance. Tell those who label. "
        "When the pool ends, the day fails or has too few labels.",
    )


@_begun.register
def _storage_not_writable(finding: StorageNotWritable) -> Words:
    return Words(
        f"The storage {finding.place} cannot be written",
        {"reason": finding.reason},
        "see whether the disk is full, and whether the bucket, the rights and the Airflow connection are as they were. No step can go on before. Tasks that failed for it: clear them afterwards.",
    )


@_begun.register
def _reference_old(finding: ReferenceOld) -> Words:
    return Words(
        f"Days are compared with the reference of {finding.version} since {finding.used_on} or longer",
        {"limit": "watch.reference_days"},
        "see on a late day's page whether the images of today are what the model should be compared with. If so, accept days of the last weeks as usual, or "
        "retrain. If the reference is as good as ever, raise watch.reference_days.",
    )
