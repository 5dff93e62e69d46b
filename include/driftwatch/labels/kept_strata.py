"""The strata of a day whose sample was drawn by strata, as they were kept when people were asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.store import DayStore
from driftwatch.images.late import ManyLate, late_images
from driftwatch.labels.answered import ID, STRATUM
from driftwatch.storage.joining import joined, without
from driftwatch.storage.tables import pieces

if TYPE_CHECKING:
    import pandas as pd

_VERSION = "model_version"


def strata_of_images(day: DayStore, ids: Collection[str] | None = None) -> pd.Series | None:
    """The stratum of each image that the day's sample stands for, by image id; the categories are the plan's strata. None for a plain
    random sample. Images that came later have the stratum of the supplement that was drawn from them, or none. `ids`: tells of these images
    alone, and holds no table."""
    import pandas as pd

    plan = day.find(AnnotationPlan)
    if plan is None or not plan.strata:
        return None
    wanted = None if ids is None else pa.array([*ids], pa.string())
    kept = (
        table if wanted is None else table.filter(pc.is_in(table[ID], value_set=wanted)) for table in _kept(day, plan)
    )
    found = pd.concat([table.to_pandas() for table in kept]).set_index(ID)[STRATUM]
    return found.astype(pd.CategoricalDtype([stratum.name for stratum in plan.all_strata]))


def images_of_strata(day: DayStore) -> dict[str, Mapping[str, int]]:
    """How many images of each stratum each model version answered, of a day with a stratified sample. No table is held."""
    plan, found = day.read(AnnotationPlan), dict[str, Counter[str]]()
    answers = pieces(day.storage, day.keys.predictions, [ID, _VERSION])
    for piece in joined(answers, _kept(day, plan), ID):
        if STRATUM not in piece.column_names:
            continue
        for row in piece.group_by([_VERSION, STRATUM]).aggregate([([], "count_all")]).to_pylist():
            if row[STRATUM] is not None:
                found.setdefault(str(row[_VERSION]), Counter())[row[STRATUM]] += row["count_all"]
    return dict(found)


def _kept(day: DayStore, plan: AnnotationPlan) -> Iterator[pa.Table]:
    """Each image with its stratum, piece by piece."""
    late, strata = late_images(day), pieces(day.storage, day.keys.strata, [ID, STRATUM])
    if isinstance(late, ManyLate):
        yield from without(strata, (pa.table({ID: ids}) for ids in late.pieces()), ID)
    else:
        ids = pa.array([*late], pa.string())
        yield from (piece.filter(pc.invert(pc.is_in(piece[ID], value_set=ids))) for piece in strata)
    for part, stratum in chain.from_iterable(((part, stratum) for stratum in part.strata) for part in plan.supplements):
        for piece in pieces(day.storage, day.keys.supplement(part.number), [ID]):
            yield piece.append_column(STRATUM, pa.repeat(stratum.name, len(piece)))
