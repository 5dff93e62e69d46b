"""What a row of the log has to say, whichever format it came in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from driftwatch.config.logged import LoggedColumns

if TYPE_CHECKING:
    import pandas as pd

KEY, IMAGE_ID, PREDICTION, SCORES, VERSION, TIME, EMBEDDING = (
    "key",
    "image_id",
    "prediction",
    "scores",
    "model_version",
    "time",
    "embedding",
)
SCORE, SEGMENT = "score.", "segment."


@dataclass(frozen=True)
class Rows:
    """`table`: one row for each readable row of a file, a column for each role that `sources` names. `broken`: rows that could not be
    read, by the reason."""

    table: pd.DataFrame
    broken: Counter[str] = field(default_factory=Counter)


def sources(columns: LoggedColumns) -> dict[str, str]:
    """Where each role stands in the file: role -> column. Scores of a column for each class are the roles `score.<class>`."""
    named = {
        KEY: columns.key,
        IMAGE_ID: columns.image_id,
        PREDICTION: columns.prediction,
        VERSION: columns.model_version,
        TIME: columns.time,
        EMBEDDING: columns.embedding,
    }
    found = {role: column for role, column in named.items() if column is not None}
    if isinstance(columns.scores, dict):
        found |= {f"{SCORE}{name}": column for name, column in columns.scores.items()}
    elif columns.scores is not None:
        found[SCORES] = columns.scores
    return found | {f"{SEGMENT}{columns.segment(column)}": column for column in columns.segments}


def value_at(record: Any, path: str) -> Any:
    """What stands at a dotted path inside of mappings and lists; None where there is nothing. A whole name with dots in it comes first."""
    if isinstance(record, Mapping) and path in record:
        return record[path]
    here = record
    for part in path.split("."):
        if isinstance(here, Mapping):
            here = here.get(part)
        elif isinstance(here, Sequence) and not isinstance(here, str) and part.lstrip("-").isdigit():
            here = here[int(part)] if -len(here) <= int(part) < len(here) else None
        else:
            return None
    return here


def table_of(records: Iterable[Any], wanted: Mapping[str, str]) -> pd.DataFrame:
    """The roles of each record, as objects. Only they are kept of it: a record can hold a whole image."""
    import pandas as pd

    rows = [[value_at(record, path) for path in wanted.values()] for record in records]
    found = pd.DataFrame(index=range(len(rows)), columns=[*wanted], dtype=object)
    for place, role in enumerate(wanted):
        found[role] = pd.Series([row[place] for row in rows], dtype=object)
    return found
