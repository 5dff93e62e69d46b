"""What the real Toloka does not have: the server's state, and answers on behalf of a worker, for tests and demos."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from fastapi import APIRouter

from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.context import Body, Box, reply, shown
from driftwatch_sandbox.toloka.errors import conflict, field_error, not_found, validation, wrong_status
from driftwatch_sandbox.toloka.fields import check_values
from driftwatch_sandbox.toloka.money import page_price
from driftwatch_sandbox.toloka.validation import Check

router = APIRouter(prefix="/_sandbox")


@router.get("/state")
def state(box: Box) -> Any:
    """Projects, pools with their tasks, pages and money, and the account; prices in dollars, fee included."""
    pools = []
    with box.store.transaction():
        for pool in box.store.find("pools") + box.store.find("trainings"):
            board = box.exchange.board(pool["id"])
            pages = list(board.assignments())
            spent = sum(page_price(page["reward"]) for page in pages if page["status"] == "ACCEPTED")
            names = ("id", "project_id", "private_name", "type", "status", "last_close_reason")
            pools.append(
                {name: pool.get(name) for name in names}
                | {
                    "real_tasks": len(board.real),
                    "golden_tasks": len(board.golden) + len(board.training),
                    "completion_percentage": board.completion_percentage(),
                    "assignments": dict(Counter(page["status"] for page in pages)),
                    "spent": spent / 1_000_000,
                }
            )
        return reply(
            {
                "projects": [{k: p[k] for k in ("id", "public_name", "status")} for p in box.store.find("projects")],
                "pools": pools,
                "account": box.account.summary(),
                "restrictions": len(box.store.find("user_restrictions")),
            }
        )


@router.put("/balance")
def set_balance(box: Box, body: Body) -> Any:
    """`{"balance": 12.5}`: what the account can still spend, in dollars."""
    dollars = body.get("balance") if isinstance(body, dict) else None
    if isinstance(dollars, bool) or not isinstance(dollars, (int, float)) or dollars < 0:
        raise field_error("balance", "FLOAT_EXPECTED", f"{dollars!r} is not a sum in dollars, 0 or more")
    with box.store.transaction():
        box.account.set_balance(dollars)
    return reply(box.account.summary())


@router.post("/answers")
def give_answers(box: Box, body: Body) -> Any:
    """One page by a named worker: `{"pool_id", "user_id", "answers": {task_id: output_values}, "seconds": 40}`.

    The pool's rules apply as for any page: it must be open, a worker sees a task once, overlap and money are kept.
    """
    check = Check(body)
    check.text("pool_id", "user_id")
    check.finish()
    answers, seconds, now = body.get("answers") or {}, float(body.get("seconds", 40)), time.time()
    with box.store.transaction():
        pool = box.exchange.pool(body["pool_id"])
        if pool["status"] != "OPEN":
            raise wrong_status("pool", pool["id"], pool["status"], "OPEN")
        board = box.exchange.board(pool["id"])
        spec = (box.store.get("projects", pool["project_id"]) or {})["task_spec"]["output_spec"]
        tasks = []
        for task_id, values in answers.items():
            task = board.task(task_id)
            if task is None:
                raise not_found("task", task_id)
            if task_id in board.seen[body["user_id"]]:
                raise conflict("CONFLICT_STATE", f"worker {body['user_id']} has seen task {task_id}")
            if not board.has_place(task_id):
                raise conflict("ALL_ASSIGNMENTS_EXHAUSTED", f"task {task_id} has all its answers")
            errors = check_values(values, spec, f"answers.{task_id}")
            if errors:
                raise validation(errors)
            tasks.append(task)
        page = box.exchange.issue(pool["id"], body["user_id"], tasks, times.text(now - seconds), now)
        if page is not None:
            page = box.exchange.submit(page, [{"output_values": v} for v in answers.values()], times.text(now))
    box.wake.set()
    if page is None:
        raise conflict("NOT_ENOUGH_BALANCE", "the balance does not cover a page; the pool is closed")
    return shown(page, 201)
