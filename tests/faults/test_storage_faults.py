"""Every storage call of a day on s3:// x every fault of the object store, once and for ever: the same day in the end.

All calls of a day meet their fault, one after the other, so that a day is a column of the table and not a cell. What a call's
fault did is told from what the task did in that try; a call that only the first try of a task makes gets a day of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from driftwatch.errors import NeedsAttention

from ..faulty_s3 import FaultyS3
from .large_day import LargeDay
from .matrix import CALLS, EARLIER, ONE_ROW, REPAIRED, REPEATED, RETRIED, WENT_ON, cells_in
from .s3_world import BUCKET, S3Day, s3_of_the_day, settings
from .table_day import TableDay
from .world import World

pytestmark = [pytest.mark.all_faults, pytest.mark.slow, pytest.mark.timeout(1200)]

FAULTS = ("ExpiredToken", "AccessDenied", "cut", "SlowDown", "reset", "lost")
ONE_OF_EACH = "one of each"
KINDS = (S3Day, TableDay, LargeDay)
OF_ALL_KINDS = pytest.mark.all_faults("the plain suite has what passes in the first kind of day")
Call = tuple[str, str]  # task, and what it asks of the storage
# How far the pool is, told while it is waited for: the wait goes on without, and the merge writes it again.
TOLERATED = {("wait_for_annotations", "PUT days/{}/annotation_progress.json")}
# What the days are made for, in case one of them stops coming so far.
WANTED = {
    ("ingest_images", "GET reference/v1/reference.json"),
    ("ingest_images", "RELIST incoming/{}"),
    ("ingest_images", "LIST incoming/{}/hour=0"),
    ("merge_shards", "DELETE days/{}/shards/{}.images.parquet"),
    ("profile_shards", "ROWS days/{}/features.parquet"),
    ("profile_features", "DELETE days/{}/shards/{}.sums.npy"),
    ("predict_labels", "GET reference/v1/points.parquet"),
    ("predict_labels", "PUT days/{}/map.json"),
    ("tell_performance", "PUT outbox/{}/told/performance-{}/Told-{}.lock"),
    ("check_performance", "PUT retraining/active.json.lock"),
    ("check_performance", "PUT days/{}/decision.json"),
    ("day_done", "PUT summaries/{}.json"),
}


@dataclass(frozen=True)
class Column:
    """The calls that meet a fault, each with its own."""

    faults: dict[Call, str]
    times: int | None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "column" in metafunc.fixturenames:
        everything = metafunc.config.getoption("--all-faults")
        metafunc.parametrize("column", FAULTS if everything else (ONE_OF_EACH,))


@pytest.fixture(scope="module")
def s3(world: World) -> Iterator[FaultyS3]:
    with pytest.MonkeyPatch.context() as patch, s3_of_the_day(patch) as server:
        yield server


class Faultless:
    """By kind of day: the storage calls of each task (of all but the first kind, those that no kind before it makes), and its end."""

    def __init__(self, world: World, s3: FaultyS3) -> None:
        self._world, self._s3 = world, s3
        self._found: dict[type[S3Day], tuple[list[Call], dict[str, Any]]] = {}

    def __getitem__(self, kind: type[S3Day]) -> tuple[list[Call], dict[str, Any]]:
        for needed in KINDS[: KINDS.index(kind) + 1]:
            if needed not in self._found:
                self._found[needed] = self._run(needed)
        return self._found[kind]

    def _run(self, kind: type[S3Day]) -> tuple[list[Call], dict[str, Any]]:
        known = {call for calls, _ in self._found.values() for call in calls}
        case, calls = new_day(self._world, kind), []
        steps = case._steps(False)
        for task in case.tasks():
            self._s3.clear()
            steps[task]()
            calls += [(task, call) for call in case.calls(self._s3.asked) if (task, call) not in known]
        return calls, case.end_state()


@pytest.fixture(scope="module")
def faultless(world: World, s3: FaultyS3) -> Faultless:
    return Faultless(world, s3)


@pytest.fixture
def missing(request: pytest.FixtureRequest) -> Callable[[list[Call], str], list[Call]]:
    """`missing(calls, fault)`: those that have no cell in the table of --missing-in, or an earlier version's; without it all."""
    table = request.config.getoption("--missing-in")
    cells = cells_in(Path(table).read_text()) if table else {}

    def lacking(calls: list[Call], fault: str) -> list[Call]:
        results = cells.get(fault, {})
        return [call for call in calls if results.get(f"s3 {' '.join(call)}", EARLIER).endswith(EARLIER)]

    return lacking


def new_day(world: World, kind: type[S3Day]) -> S3Day:
    case = world.case(kind, f"s3://{BUCKET}", **settings(kind.shards))
    assert isinstance(case, S3Day)
    return case


def column_of(calls: list[Call], name: str, times: int | None, share: int) -> Column:
    """One fault at every call that can meet it; or one fault for each of some calls: those that pass by themselves at every third,
    those that end a task's try at every `share`-th, and for ever at fewer."""
    if name != ONE_OF_EACH:
        return Column({call: name for call in calls if name in faults_of(call)}, times)
    if times is None:
        met = calls[:: 2 * share]
        return Column({call: faults_of(call)[n % len(faults_of(call))] for n, call in enumerate(met)}, times)
    met = {call: _in_turn(call, n, share) for n, call in enumerate(calls) if n % share == 0 or n % 3 == 0}
    return Column(met, times)


def _in_turn(call: Call, number: int, share: int) -> str:
    passing = faults_of(call)[2:]
    return FAULTS[number // share % 2] if number % share == 0 else passing[number % len(passing)]


def faults_of(call: Call) -> list[str]:
    """Only what is sent can be cut on its way here, and only what changes something matters when its answer is lost."""
    not_of = {"HEAD": ("cut", "lost"), "PUT": ("cut",), "DELETE": ()}.get(call[1].split()[0], ("lost",))
    return [name for name in FAULTS if name not in not_of]


class BrokenDay:
    """A day whose calls meet their faults; `results`: what became of each."""

    def __init__(self, case: S3Day, s3: FaultyS3) -> None:
        self.case, self.s3 = case, s3
        self.results: dict[Call, str] = {}
        self._steps = case._steps(False)

    def run(self, column: Column) -> None:
        for task in self.case.tasks():
            faults = {call: fault for call, fault in column.faults.items() if call[0] == task}
            done = self._once(task, faults) if column.times else self._for_ever(faults)
            self.s3.clear()
            if not done:
                error = self._try(task)
                assert error is None, f"{task} does not end well after its faults: {error!r}"

    def _once(self, task: str, faults: dict[Call, str]) -> bool:
        """Every call of the task meets its fault at its first request; the task is tried until it ends well."""
        planned = {call: self._plan(call, fault, 1) for call, fault in faults.items()}
        for _ in range(len(faults) + 1):
            met = {call for call, fault in planned.items() if fault.met}
            error = self._try(task)
            new = [call for call, fault in planned.items() if fault.met and call not in met]
            self.results.update(dict.fromkeys(new, REPEATED))
            if error is None:
                return True
            self.results[self._named(error, new)] = REPAIRED if isinstance(error, NeedsAttention) else RETRIED
        return False

    def _for_ever(self, faults: dict[Call, str]) -> bool:
        """Each call of the task meets its fault for ever, in a try of its own."""
        for call, name in faults.items():
            fault = self._plan(call, name, None)
            error = self._try(call[0])
            self.s3.clear()
            if error is None and fault.met and call not in TOLERATED:
                assert self.case.says_of_images(name), f"{call} meets {name} for ever, and nobody says so"
                self.results[call] = ONE_ROW
                continue
            if error is None:
                self.results.update({call: WENT_ON} if fault.met else {})
                return True
            self.results[self._named(error, [call] if fault.met else [])] = REPAIRED
        return False

    def _plan(self, call: Call, fault: str, times: int | None) -> Any:
        method, path = self.case.pattern(call[1])
        kind = call[1].split()[0]
        # S3 refuses to delete an object within an answer of 200.
        fault = f"{fault} of one" if (kind, fault) == ("DELETE", "AccessDenied") else fault
        return self.s3.plan(fault, path, method=method, times=times, skip=int(kind == "ROWS"))

    def _try(self, task: str) -> Exception | None:
        try:
            self._steps[task]()
        except Exception as error:
            return error
        return None

    def _named(self, error: Exception, calls: list[Call]) -> Call:
        """Of the calls that met their fault, the last whose key the error names."""
        named = [call for call in calls if re.search(self.case.key_pattern(call[1]), str(error))]
        assert named, f"{calls} met a fault, and the message names none: {error!r}"
        return named[-1]


def run_column(world: World, s3: FaultyS3, kind: type[S3Day], faultless: Any, column: Column) -> dict[Call, str]:
    """The results of all calls, from as many days as it takes for each to be made."""
    _, wanted = faultless
    results: dict[Call, str] = {}
    left = dict(column.faults)
    while left:
        broken = BrokenDay(new_day(world, kind), s3)
        broken.run(Column(left, column.times))
        assert broken.results, f"no day makes these calls: {[*left]}"
        end = broken.case.end_state()
        differs = {
            name: (end.get(name), wanted.get(name)) for name in {*end, *wanted} if end.get(name) != wanted.get(name)
        }
        assert not differs, differs
        results |= broken.results
        left = {call: fault for call, fault in left.items() if call not in results}
        broken.case.remove()
    return results


@pytest.mark.parametrize(
    ("kind", "times"),
    [
        pytest.param(S3Day, 1, id="day-once"),
        pytest.param(S3Day, None, id="day-for ever", marks=OF_ALL_KINDS),
        pytest.param(LargeDay, 1, id="large day-once", marks=OF_ALL_KINDS),
        pytest.param(LargeDay, None, id="large day-for ever", marks=OF_ALL_KINDS),
        pytest.param(TableDay, 1, id="day of a label table-once", marks=OF_ALL_KINDS),
        pytest.param(TableDay, None, id="day of a label table-for ever", marks=OF_ALL_KINDS),
    ],
)
def test_a_fault_of_the_object_store_at_any_call_ends_in_the_same_day(
    world, s3, faultless, missing, cell: Callable[[str, str, str], None], share, kind, times, column
):
    planned = column_of(
        missing(faultless[kind][0], f"{column}, {'once' if times else 'for ever'}"), column, times, share
    )
    if not planned.faults:
        pytest.skip("the table has all of these cells")
    results = run_column(world, s3, kind, faultless[kind], planned)
    for call, result in results.items():
        cell(f"s3 {' '.join(call)}", f"{planned.faults[call]}, {'once' if times else 'for ever'}", result)
    assert results.keys() == planned.faults.keys()
    if times is None:
        went_on = {call for call, result in results.items() if result == WENT_ON}
        rows = {call for call, result in results.items() if result == ONE_ROW}
        assert went_on <= TOLERATED
        assert all(planned.faults[call] == "AccessDenied" and "GET incoming/" in call[1] for call in rows)
        assert {result for call, result in results.items() if call not in went_on | rows} == {REPAIRED}


@OF_ALL_KINDS
def test_every_task_of_the_day_and_every_kind_of_call_is_in_the_table(faultless, record_property):
    """So that a day which stops calling something does not shrink the table unseen."""
    calls = [call for kind in KINDS for call in faultless[kind][0]]
    tasks = {task for kind in KINDS for task in kind.tasks()}
    assert {task for task, _ in calls} == tasks
    kinds = {call.split()[0] for _, call in calls}
    assert kinds == {"GET", "RANGE", "ROWS", "HEAD", "LIST", "RELIST", "FOLDER", "PUT", "DELETE"}
    assert set(calls) >= WANTED
    assert len(calls) > 450
    record_property(CALLS, json.dumps([f"s3 {' '.join(call)}" for call in calls]))
