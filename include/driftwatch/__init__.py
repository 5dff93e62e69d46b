"""Driftwatch's domain: plain Python, usable from a notebook, never imports Airflow.

What a notebook needs is here, and docs/notebooks.md shows each:

    import driftwatch

    day = driftwatch.load_day("s3://bucket/prefix/cats_vs_dogs", "2026-01-08")
    print(driftwatch.accuracy_of(day.labelled["label"], day.labelled["prediction"]))

A name is imported when it is first used: `import driftwatch` alone loads neither NumPy nor TensorFlow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftwatch.drift.reference import DriftReport, Reference
    from driftwatch.images.features import extract_features
    from driftwatch.labels.agreement import krippendorff_alpha
    from driftwatch.labels.consensus import MergeRules, merge_answers
    from driftwatch.notebook import Accuracy, Day, accuracy_of, list_days, load_day

__all__ = [
    "Accuracy",
    "Day",
    "DriftReport",
    "MergeRules",
    "Reference",
    "accuracy_of",
    "extract_features",
    "krippendorff_alpha",
    "list_days",
    "load_day",
    "merge_answers",
]

# Where each of them is made; what is not named here is made in driftwatch.notebook.
_MODULES = {
    "DriftReport": "driftwatch.drift.reference",
    "Reference": "driftwatch.drift.reference",
    "extract_features": "driftwatch.images.features",
    "MergeRules": "driftwatch.labels.consensus",
    "krippendorff_alpha": "driftwatch.labels.agreement",
    "merge_answers": "driftwatch.labels.consensus",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES.get(name, "driftwatch.notebook")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
