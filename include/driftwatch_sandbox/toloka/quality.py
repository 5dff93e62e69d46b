"""Quality control rules. A collector counts something about one worker in one pool; if the conditions of a rule hold, its action is due."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.board import Board, vote
from driftwatch_sandbox.toloka.fields import Errors, error
from driftwatch_sandbox.toloka.filters import OPERATORS, compare
from driftwatch_sandbox.toloka.store import Document

_RATES = "correct_answers_rate incorrect_answers_rate"
CONDITION_KEYS = {
    "CAPTCHA": "stored_results_count success_rate fail_rate",
    "GOLDEN_SET": f"total_answers_count {_RATES} golden_set_answers_count golden_set_correct_answers_rate "
    "golden_set_incorrect_answers_rate",
    "MAJORITY_VOTE": f"total_answers_count {_RATES}",
    "ASSIGNMENT_SUBMIT_TIME": "total_submitted_count fast_submitted_count",
    "SKIPPED_IN_ROW_ASSIGNMENTS": "skipped_in_row_count",
    "INCOME": "income_sum_for_last_24_hours",
    "ANSWER_COUNT": "assignments_accepted_count",
    "ACCEPTANCE_RATE": "total_assignments_count accepted_assignments_rate rejected_assignments_rate",
    "ASSIGNMENTS_ASSESSMENT": "pending_assignments_count accepted_assignments_count rejected_assignments_count "
    "assessment_event",
    "USERS_ASSESSMENT": "pool_access_revoked_reason skill_id",
    "TRAINING": f"total_answers_count {_RATES} submitted_assignments_count next_assignment_available",
}
ACTIONS = {
    "RESTRICTION": "scope",
    "RESTRICTION_V2": "scope duration_unit",
    "SET_SKILL": "skill_id skill_value",
    "SET_SKILL_FROM_OUTPUT_FIELD": "skill_id from_field",
    "CHANGE_OVERLAP": "delta",
    "REJECT_ALL_ASSIGNMENTS": "",
    "APPROVE_ALL_ASSIGNMENTS": "",
}
ANSWERED = ("SUBMITTED", "ACCEPTED", "REJECTED")
_NEEDED = {"ASSIGNMENT_SUBMIT_TIME": "fast_submit_threshold_seconds", "MAJORITY_VOTE": "answer_threshold"}


def check_quality_control(data: Any, path: str = "quality_control") -> Errors:
    errors: Errors = {}
    for index, config in enumerate((data or {}).get("configs") or []):
        here = f"{path}.configs.{index}"
        collector = config.get("collector_config") or {}
        kind = collector.get("type")
        if kind not in CONDITION_KEYS:
            errors[f"{here}.collector_config.type"] = error(
                "UNKNOWN_ENUM_VALUE", f"allowed: {', '.join(CONDITION_KEYS)}"
            )
            continue
        if kind in _NEEDED and (collector.get("parameters") or {}).get(_NEEDED[kind]) is None:
            errors[f"{here}.collector_config.parameters.{_NEEDED[kind]}"] = error("VALUE_REQUIRED", "is needed")
        for number, rule in enumerate(config.get("rules") or []):
            errors |= _check_rule(rule, kind, f"{here}.rules.{number}")
    return errors


def _check_rule(rule: Document, collector: str, path: str) -> Errors:
    errors: Errors = {}
    allowed = CONDITION_KEYS[collector].split()
    for index, condition in enumerate(rule.get("conditions") or []):
        if condition.get("key") not in allowed:
            message = f"{condition.get('key')!r}: {collector} has {', '.join(allowed)}"
            errors[f"{path}.conditions.{index}.key"] = error("VALUE_NOT_ALLOWED", message)
        if condition.get("operator") not in OPERATORS:
            errors[f"{path}.conditions.{index}.operator"] = error("UNKNOWN_ENUM_VALUE", f"allowed: {OPERATORS}")
    action = rule.get("action") or {}
    if action.get("type") not in ACTIONS:
        errors[f"{path}.action.type"] = error("UNKNOWN_ENUM_VALUE", f"allowed: {', '.join(ACTIONS)}")
        return errors
    for name in ACTIONS[action["type"]].split():
        if (action.get("parameters") or {}).get(name) is None:
            errors[f"{path}.action.parameters.{name}"] = error("VALUE_REQUIRED", "is needed")
    return errors


def met_rules(
    configs: list[Document], board: Board, user: str, assignment: Document | None, event: str
) -> list[tuple[Document, Document]]:
    """The actions due for a user after an event, each with the statistics that led to it.

    Events: SUBMIT, SKIP, EXPIRE, ACCEPT, ACCEPT_AFTER_REJECT, REJECT (of `assignment`), RESTRICTION (of the user).
    """
    due = []
    for config in configs:
        collector = config["collector_config"]
        statistics = _statistics(collector, board, user, assignment, event)
        for rule in config.get("rules") or []:
            if statistics and all(
                compare(statistics.get(part["key"]), part["operator"], _operand(part["value"], statistics))
                for part in rule["conditions"]
            ):
                due.append((rule["action"], statistics))
    return due


def speed_limit(configs: list[Document], board: Board, user: str) -> tuple[int, int, float] | None:
    """The first rule that bans for haste: how many of the user's pages that it looks at are fast, with how many it bans, and the seconds
    below which a page is fast. None if there is no such rule.
    """
    for config in configs:
        collector = config["collector_config"]
        if collector["type"] != "ASSIGNMENT_SUBMIT_TIME":
            continue
        counted = _statistics(collector, board, user, None, "") or {}
        for rule in config.get("rules") or []:
            for part in rule["conditions"]:
                if rule["action"]["type"].startswith("RESTRICTION") and part["key"] == "fast_submitted_count":
                    most = part["value"] + (part["operator"] == "GT")
                    return (
                        counted["fast_submitted_count"],
                        most,
                        collector["parameters"]["fast_submit_threshold_seconds"],
                    )
    return None


def _operand(value: Any, statistics: Document) -> Any:
    """A condition may compare with another statistic by its name."""
    return statistics.get(value, value) if isinstance(value, str) else value


def _statistics(
    collector: Document, board: Board, user: str, assignment: Document | None, event: str
) -> Document | None:
    """The numbers of a collector. None if the event does not concern it."""
    kind = collector["type"]
    parameters = collector.get("parameters") or {}
    history = parameters.get("history_size") or None
    pages = list(board.pages[user].values())
    answered = [page for page in pages if page["status"] in ANSWERED]
    if kind == "USERS_ASSESSMENT":
        return {"pool_access_revoked_reason": "RESTRICTION"} if event == "RESTRICTION" else None
    if kind == "ASSIGNMENTS_ASSESSMENT":
        return _assessment(board, assignment, event) if event in ("ACCEPT", "ACCEPT_AFTER_REJECT", "REJECT") else None
    if event == "RESTRICTION":
        return None
    if kind == "GOLDEN_SET":
        return _control_statistics(answered, board, history)
    if kind == "MAJORITY_VOTE":
        return _rates(list(islice(_majority_verdicts(answered, board, parameters["answer_threshold"]), history)))
    if kind == "ASSIGNMENT_SUBMIT_TIME":
        recent = answered[-(history or 0) :]
        limit = parameters["fast_submit_threshold_seconds"]
        fast = sum(times.seconds(page["submitted"]) - times.seconds(page["created"]) < limit for page in recent)
        return {"total_submitted_count": len(recent), "fast_submitted_count": fast}
    if kind == "SKIPPED_IN_ROW_ASSIGNMENTS":
        finished = [page["status"] == "SKIPPED" for page in pages if page["status"] != "ACTIVE"]
        return {"skipped_in_row_count": [*finished[::-1], False].index(False)}
    if kind == "INCOME":
        since = times.text(time.time() - 86_400)
        paid = [page["reward"] for page in answered if page["status"] != "REJECTED" and page["submitted"] >= since]
        return {"income_sum_for_last_24_hours": sum(paid)}
    if kind == "ANSWER_COUNT":
        return {"assignments_accepted_count": sum(page["status"] == "ACCEPTED" for page in answered)}
    if kind == "ACCEPTANCE_RATE":
        judged = [page["status"] == "ACCEPTED" for page in answered if page["status"] != "SUBMITTED"][-(history or 0) :]
        accepted = 100 * sum(judged) / len(judged) if judged else None
        rejected = None if accepted is None else 100 - accepted
        rates = {"accepted_assignments_rate": accepted, "rejected_assignments_rate": rejected}
        return {"total_assignments_count": len(judged), **rates}
    return None  # CAPTCHA and TRAINING: the simulated workers solve every captcha, and trainings are judged elsewhere


def _rates(verdicts: list[bool]) -> Document:
    correct = 100 * sum(verdicts) / len(verdicts) if verdicts else None
    return {
        "total_answers_count": len(verdicts),
        "correct_answers_rate": correct,
        "incorrect_answers_rate": None if correct is None else 100 - correct,
    }


def _control_statistics(answered: list[Document], board: Board, history: int | None) -> Document:
    golden = islice((verdict for task, verdict in _control_verdicts(answered) if task in board.golden), history)
    rates = _rates(list(golden))
    return _rates([verdict for _, verdict in islice(_control_verdicts(answered), history)]) | {
        "golden_set_answers_count": rates["total_answers_count"],
        "golden_set_correct_answers_rate": rates["correct_answers_rate"],
        "golden_set_incorrect_answers_rate": rates["incorrect_answers_rate"],
    }


def _answers(answered: list[Document]) -> Iterator[tuple[Document, Document]]:
    """A user's tasks and solutions, the latest first: a rule looks back only as far as its history says."""
    for page in reversed(answered):
        yield from zip(reversed(page["tasks"]), reversed(page["solutions"]), strict=True)


def _control_verdicts(answered: list[Document]) -> Iterator[tuple[str, bool]]:
    """Each control task's id and whether it was answered rightly."""
    for task, solution in _answers(answered):
        if task.get("known_solutions"):
            yield task["id"], is_right(task, solution["output_values"])


def is_right(task: Document, output_values: Document) -> bool:
    """Whether an answer to a control task is one of its known solutions."""
    return any(
        all(output_values.get(name) == value for name, value in solution["output_values"].items())
        for solution in task["known_solutions"]
    )


def _majority_verdicts(answered: list[Document], board: Board, threshold: int) -> Iterator[bool]:
    """For each of the user's answers to a real task on which `threshold` workers agree: whether it is the same."""
    for task, solution in _answers(answered):
        votes = board.votes[task["id"]].most_common(1)
        if task["id"] in board.real and votes and votes[0][1] >= threshold:
            yield votes[0][0] == vote(solution)


def _assessment(board: Board, assignment: Document | None, event: str) -> Document:
    suite = assignment["task_suite_id"] if assignment else None
    counts = Counter(page["status"] for page in board.assignments() if page["task_suite_id"] == suite)
    return {
        "pending_assignments_count": counts["SUBMITTED"],
        "accepted_assignments_count": counts["ACCEPTED"],
        "rejected_assignments_count": counts["REJECTED"],
        "assessment_event": event,
    }
