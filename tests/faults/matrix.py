"""The table calls x faults, gathered from the tests' reports."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

PROPERTY = "fault_matrix"
CALLS = "fault_matrix_calls"  # all that the days ask of the object store
SERVICES = ("toloka", "label-studio", "the-desk", "label-table", "whylabs", "s3", "day", "killed")
REPEATED, RETRIED, REPAIRED, WENT_ON = "repeated", "task retried", "re-run", "went on"
ONE_ROW, ASKED_AGAIN = "one row", "asked again"
EARLIER = "*"  # after a result that a later run has to measure again
LEGEND = f"""Each cell is a day on which that call met that fault, compared with a day without: one project, one pool, the same tasks, the same
money, the same labels, the same published counts.

- `{REPEATED}`: the request was sent again within its task, and nothing else was noticed.
- `{RETRIED}`: the task failed once, and Airflow's retry of it put things right.
- `{REPAIRED}`: the task failed for good with a message that names the cause; running the day again after the fault put things right.
- `{WENT_ON}`: the fault changed nothing.
- `{ONE_ROW}`: S3 refused some images of the day and gave others: those are rows of the manifest that say why, and taking the day
  in again after the fault put things right.
- `{ASKED_AGAIN}`: the task gave its worker's slot back, asked again ten minutes later, and went on.
- A `{EARLIER}` behind it: measured with the object store's client of an earlier version, and not since.

Of the object store (`s3`), each row is what a task asks of it, and a column is one day: all calls meet the fault, one after the other,
and more days where a call is only made by the first try of its task. RANGE reads part of an object, first its end, and ROWS a further
part; LIST lists all below a folder, FOLDER what lies directly in it, and RELIST is boto3's listing where obstore's cannot tell a name.
DELETE removes one object or more, of which the first is named; AccessDenied is then said of one of them, within an answer of 200, as S3 does.
Of `reset` the request was not carried out, of `lost` it was.
"""


def cells_of(reports: Iterable[Any]) -> dict[str, dict[str, str]]:
    """{fault: {call: result}} of all reports."""
    found: dict[str, dict[str, str]] = {}
    for report in reports:
        for name, value in getattr(report, "user_properties", ()):
            if name == PROPERTY:
                call, fault, result = json.loads(value)
                found.setdefault(fault, {})[call] = result
    return found


def calls_of(reports: Iterable[Any]) -> set[str]:
    """The calls that days make of the object store; empty where no report says them."""
    found = (json.loads(value) for r in reports for name, value in getattr(r, "user_properties", ()) if name == CALLS)
    return {call for calls in found for call in calls}


def added_to(text: str, cells: dict[str, dict[str, str]], calls: set[str]) -> str:
    """The written table with these cells in place of their earlier ones, and its head as it was. `calls`: rows of the object store that are none of
    these are left out, where there are any."""
    found = cells_in(text)
    for fault, results in cells.items():
        found.setdefault(fault, {}).update(results)
    if calls:
        found = {f: {c: r for c, r in of.items() if not c.startswith("s3 ") or c in calls} for f, of in found.items()}
    return f"{text[: text.index(LEGEND[:20])]}{LEGEND}\n{render(found, markdown=True)}\n"


def cells_in(text: str) -> dict[str, dict[str, str]]:
    """{fault: {call: result}} of a written table. Its head may have tables of its own."""
    found: dict[str, dict[str, str]] = {}
    header: list[str] = []
    for line in text.partition(LEGEND[:20])[2].splitlines():
        row = line.strip("| ").split(" | ") if line.startswith("| ") else []
        if not row:
            header = []
        elif not header:
            header = row
        elif row[0] != "---":
            call = f"{header[0]} {row[0].strip('`')}"
            for fault, result in zip(header[1:], row[1:], strict=True):
                if result != "-":
                    found.setdefault(fault, {})[call] = result
    return found


def render(cells: dict[str, dict[str, str]], markdown: bool = False) -> str:
    """One table for each service, calls down, faults across; then the counts of each result."""
    parts = []
    for service in SERVICES:
        faults = {fault: {c: r for c, r in of.items() if c.split()[0] == service} for fault, of in cells.items()}
        faults = {fault: of for fault, of in faults.items() if of}
        calls = sorted({call for of in faults.values() for call in of})
        if not calls:
            continue
        header = [service, *sorted(faults)]
        rows = [
            [call.removeprefix(f"{service} "), *(faults[f].get(call, "-") for f in sorted(faults))] for call in calls
        ]
        parts.append(_markdown(header, rows) if markdown else _plain(header, rows))
    counts = Counter(result.rstrip(EARLIER) for of in cells.values() for result in of.values())
    total = sum(counts.values())
    earlier = sum(result.endswith(EARLIER) for of in cells.values() for result in of.values())
    parts.append(f"{total} cells: " + ", ".join(f"{n} {result}" for result, n in sorted(counts.items())))
    if earlier:
        parts.append(f"{earlier} of them are an earlier version's.")
    return "\n\n".join(parts)


def _markdown(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *[[f"`{row[0]}`", *row[1:]] for row in rows]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _plain(header: list[str], rows: list[list[str]]) -> str:
    """A fault a line, since there are more faults than a terminal is wide."""
    lines = []
    for index, fault in enumerate(header[1:], start=1):
        counts = Counter(row[index] for row in rows if row[index] != "-")
        lines.append(f"  {fault:<34}" + ", ".join(f"{n} {result}" for result, n in sorted(counts.items())))
    return "\n".join([f"{header[0]}: {len(rows)} calls", *lines])
