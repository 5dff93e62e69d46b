"""Every call of a day x every fault, once and for ever: the day ends as it would have, or says why and is repaired by a re-run."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from .end_state import end_state
from .matrix import REPAIRED, REPEATED, RETRIED
from .touches import recorded
from .world import ANNOTATION, IMPATIENT, PATIENT, PUBLICATION, Case, Outcome, World

pytestmark = [pytest.mark.all_faults, pytest.mark.slow, pytest.mark.timeout(1200)]


@dataclass(frozen=True)
class Fault:
    """`applies`: the calls that can meet it; `cause`: what the error must name."""

    fields: dict[str, Any]
    cause: str
    applies: str = "."


FAULTS = {
    "500 before": Fault({"fault": "error_before"}, "injected fault|HTTP 500"),
    "500 after": Fault({"fault": "error_after_commit"}, "injected fault|HTTP 500"),
    "dropped before": Fault({"fault": "drop_before"}, r"did not answer|tried \d+ times"),
    "dropped after": Fault({"fault": "drop_after"}, r"did not answer|tried \d+ times"),
    "slow": Fault({"fault": "slow", "seconds": 2 * IMPATIENT}, "time limit"),
    "429 Retry-After": Fault({"fault": "rate_limit", "seconds": 1}, "rate limit|429"),
    "429 quota": Fault({"fault": "rate_limit_quota"}, "quota|429"),
    "HTML 502": Fault({"fault": "html_502"}, "502"),
    "operation FAIL": Fault(
        {"fault": "operation_fail"}, "operation_fail|refused|did not open", r"toloka POST .*(tasks|open)$"
    ),
    "upload 403": Fault({"fault": "url_refused"}, "HTTP 403", "whylabs PUT upload"),
    "upload URL expired": Fault({"fault": "url_expired"}, "HTTP 403", "whylabs PUT upload"),
}
# In the plain suite every second kind of fault passes, and the others stay.
_OTHER = pytest.mark.all_faults("in the plain suite a kind of fault either passes or stays")
PASSING = [pytest.param(name, marks=_OTHER if number % 2 else ()) for number, name in enumerate(FAULTS)]
STAYING = [pytest.param(name, marks=() if number % 2 else _OTHER) for number, name in enumerate(FAULTS)]
_PATHS = {"whylabs PUT upload": "/upload/"}


def path_regex(call: str) -> str:
    path = call.split(" ", 2)[2]
    return _PATHS.get(call, re.escape(path).replace(r"\{\}", "[^/]+").replace(r"\{monitor\}", "[^/]+") + "$")


def annotation(case: Case, **how: Any) -> Outcome:
    return case.run(ANNOTATION, **how)


def publication(case: Case, **how: Any) -> Outcome:
    return case.run(PUBLICATION, **how)


def revision(case: Case, **how: Any) -> Outcome:
    return case.run(PUBLICATION, revise=True, **how)


SCENARIOS = (annotation, publication, revision)


def prepared(world: World, scenario: Callable[..., Outcome], **annotation: Any) -> Case:
    """A day before the scenario: fresh, or published with what has changed since."""
    case = world.case(annotation=annotation)
    if scenario is revision:
        assert not publication(case).errors
        case.profile(2.0)
    return case


@pytest.fixture(scope="module")
def faultless(world: World) -> dict[Callable[..., Outcome], tuple[list[str], dict[str, Any]]]:
    """By scenario: the service calls that it makes, and how it ends."""
    found = {}
    for scenario in SCENARIOS:
        case = prepared(world, scenario)
        with recorded() as points:
            outcome = scenario(case)
        assert not outcome.errors
        assert not outcome.retried
        calls = sorted({point for point in points if not point.startswith("storage")})
        found[scenario] = calls, end_state(case)
    return found


def calls_to_break(faultless, fault: Fault, share: int, times: int | None) -> list[tuple[str, Callable[..., Outcome]]]:
    """Each call once, in the first scenario that makes it; with a `share` of n every n-th, another n-th for each fault,
    and for a fault that stays another than for one that passes: so each call meets one."""
    scenario_of: dict[str, Callable[..., Outcome]] = {}
    for scenario, (calls, _) in faultless.items():
        for call in calls:
            scenario_of.setdefault(call, scenario)
    met = [(call, scenario) for call, scenario in scenario_of.items() if re.search(fault.applies, call)]
    first = [*FAULTS.values()].index(fault) + (0 if times else share // 2)
    return met[first % min(share, len(met)) :: share]


def broken_day(world: World, call: str, scenario, fault: Fault, times: int | None) -> tuple[Case, Outcome]:
    case = prepared(world, scenario)
    service, method, _ = call.split(" ", 2)
    world.fault(service, method=method, path_regex=path_regex(call), times=times, **fault.fields)
    outcome = scenario(case, tries=None if times else 1)
    world.no_faults()
    return case, outcome


def judge(case: Case, scenario, outcome: Outcome, wanted: dict[str, Any], cause: str) -> str:
    """What became of a broken day; raises AssertionError where it is not the same day in the end."""
    result = RETRIED if outcome.retried else REPEATED
    if outcome.errors:
        (error,) = outcome.errors.values()
        assert re.search(cause, str(error)), f"the message does not name the cause: {error!r}"
        again = scenario(case)
        assert not again.errors, f"the re-run does not repair it: {again.errors}"
        result = REPAIRED
    end = end_state(case)
    assert end == wanted, {name: (end[name], wanted[name]) for name in wanted if end[name] != wanted[name]}
    case.remove()
    return result


def run_column(world, faultless, cell, share, monkeypatch, name: str, times: int | None) -> dict[str, str]:
    """One column of the table; the failures of all its calls are reported together."""
    fault, failures = FAULTS[name], {}
    for variable, value in world.connections(IMPATIENT if name == "slow" else PATIENT).items():
        monkeypatch.setenv(variable, value)
    results: dict[str, str] = {}
    for call, scenario in calls_to_break(faultless, fault, share, times):
        case, outcome = broken_day(world, call, scenario, fault, times)
        try:
            results[call] = judge(case, scenario, outcome, faultless[scenario][1], fault.cause)
        except AssertionError as error:
            failures[call] = str(error)
            results[call] = "FAILED"
        cell(call, f"{name}, {'once' if times else 'for ever'}", results[call])
    assert not failures, failures
    return results


@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_passes_leaves_no_trace(world, faultless, cell, share, monkeypatch, name):
    results = run_column(world, faultless, cell, share, monkeypatch, name, times=1)
    assert results


@pytest.mark.parametrize("name", STAYING)
def test_a_fault_that_stays_is_named_and_a_re_run_after_it_ends_the_day_as_if_nothing_had_been(
    world, faultless, cell, share, monkeypatch, name
):
    results = run_column(world, faultless, cell, share, monkeypatch, name, times=None)
    assert set(results.values()) == {REPAIRED}


def test_every_call_of_the_contract_that_the_day_needs_is_in_the_table(faultless):
    """So that a scenario which stops calling something does not shrink the table unseen."""
    calls = {call for made, _ in faultless.values() for call in made}
    assert len([call for call in calls if call.startswith("toloka POST")]) >= 6
    assert "toloka PATCH /api/v1/assignments/{}" in calls
    assert {"whylabs PUT upload", "whylabs POST /v1/log/async"} <= calls
    assert any(call.startswith("whylabs DELETE") for call in calls)


_CREATED = ["projects", "trainings", "pools"]


@pytest.mark.parametrize("kind", _CREATED)
@pytest.mark.parametrize(
    "times",
    [
        pytest.param(2, id="once"),
        pytest.param(None, id="for ever", marks=pytest.mark.all_faults("in the plain suite two listings lag")),
    ],
)
def test_a_creation_whose_answer_was_lost_is_found_although_the_listing_lags(world, faultless, cell, kind, times):
    case = world.case()
    world.fault("toloka", method="POST", path_regex=f"/v1/{kind}$", fault="error_after_commit", times=1)
    # For ever: every listing lags by half a second. Once: two listings do not have it at all.
    seconds = 0.5 if times is None else 3600
    world.fault("toloka", method="GET", path_regex=f"/v1/{kind}$", fault="list_lag", seconds=seconds, times=times)
    outcome = annotation(case)
    world.no_faults()
    result = judge(case, annotation, outcome, faultless[annotation][1], ".")
    cell(f"toloka GET /api/v1/{kind}", f"creation lost, listing lags, {'once' if times else 'for ever'}", result)


@pytest.mark.parametrize("reason", ["EXPIRED", "NOT_ENOUGH_BALANCE"])
def test_a_pool_that_toloka_closes_early_fails_with_the_reason_and_goes_on_when_the_day_is_run_again(
    world, faultless, cell, reason
):
    case = world.case()

    def close_early() -> None:
        world.fault("toloka", method="GET", path_regex="/v1/pools/[^/]+$", fault="close_pool", reason=reason, times=1)

    outcome = annotation(case, before_waiting=close_early)
    assert outcome.errors, "nobody had answered"
    assert "clear create_annotation_pool" in str(outcome.errors["wait_for_annotations"])
    result = judge(case, annotation, outcome, faultless[annotation][1], f"ended with {reason}")
    cell("toloka GET /api/v1/pools/{}", f"pool closed {reason}, once", result)


def test_a_balance_that_runs_out_in_the_middle_is_named_and_the_rest_is_paid_after_it_is_topped_up(
    world, faultless, cell
):
    case = world.case(annotation={"on_short_pool": "fail"})
    outcome = annotation(case, before_waiting=lambda: world.balance(0.07))
    assert outcome.errors
    with pytest.raises(AssertionError, match="top the account up"):
        # Too little for the rest: refused before anything is opened.
        judge(case, annotation, outcome, faultless[annotation][1], "ended with NOT_ENOUGH_BALANCE")
    world.balance(100_000)
    result = judge(case, annotation, outcome, faultless[annotation][1], "ended with NOT_ENOUGH_BALANCE")
    cell("toloka GET /api/v1/pools/{}", "balance runs out, once", result)


def test_a_minutes_quota_is_waited_for_as_long_as_toloka_asks(world, monkeypatch):
    import time

    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    world.fault("toloka", method="GET", path_regex="/v1/requester$", fault="rate_limit_quota", times=1)
    from driftwatch_airflow.hooks.toloka import TolokaHook

    TolokaHook().get_conn().get_requester()
    assert pauses == [60.0]
