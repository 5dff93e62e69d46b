"""What `import driftwatch` offers, and what it loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

import driftwatch

_HEAVY = "{'numpy', 'pandas', 'scipy', 'cv2', 'PIL', 'pydantic', 'tensorflow', 'keras', 'whylogs', 'airflow'}"


def test_the_import_alone_loads_no_library_and_one_name_no_more_than_it_needs():
    code = (
        f"import sys, driftwatch; print(sorted({_HEAVY} & set(sys.modules))); "
        "driftwatch.extract_features, driftwatch.load_day, driftwatch.Reference, driftwatch.merge_answers; "
        "print(sorted({'tensorflow', 'keras', 'whylogs', 'airflow'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:2] == ["[]", "[]"]


@pytest.mark.parametrize("name", driftwatch.__all__)
def test_each_name_is_there_and_bears_its_name(name):
    assert getattr(driftwatch, name).__name__ == name
    assert name in dir(driftwatch)


def test_a_name_that_is_none_is_refused():
    with pytest.raises(AttributeError, match="module 'driftwatch' has no attribute 'Refrence'"):
        driftwatch.Refrence  # noqa: B018


def test_the_old_address_gives_the_same():
    from driftwatch.profiling import DriftReport, Reference, extract_features

    assert (DriftReport, Reference, extract_features) == (
        driftwatch.DriftReport,
        driftwatch.Reference,
        driftwatch.extract_features,
    )
