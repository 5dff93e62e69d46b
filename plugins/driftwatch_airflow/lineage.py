"""Tells OpenLineage what a step read and wrote, where Airflow's OpenLineage provider is installed and set up.

What a step has to tell is put together when it has ended, in its own process: the provider asks in a fork, which has no way to Airflow's
connections. Lineage that cannot be told is logged, and changes nothing of a step.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftwatch.lineage.datasets import Check, Dataset, Lineage

log = logging.getLogger(__name__)


def collected(step: str, find: Callable[[], Lineage]) -> Lineage | None:
    """What `find` finds of the step that has ended; None where nobody is told, or where it cannot be found out."""
    if not _is_on():
        return None
    try:
        return find()
    except Exception:  # the storage may have gone away: telling decides nothing
        log.warning("The lineage of %s cannot be told", step, exc_info=True)
        return None


def facets_of(found: Lineage | None) -> Any:
    """The provider's OperatorLineage; an empty one for None."""
    from airflow.providers.openlineage.extractors import OperatorLineage
    from openlineage.client.event_v2 import InputDataset, OutputDataset
    from openlineage.client.facet_v2 import input_statistics_input_dataset, output_statistics_output_dataset

    if found is None:
        return OperatorLineage()
    read = input_statistics_input_dataset.InputStatisticsInputDatasetFacet
    written = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet
    return OperatorLineage(
        inputs=[
            InputDataset(
                each.namespace,
                each.name,
                inputFacets={**_statistics("inputStatistics", read, each), **_quality(each)},
            )
            for each in found.inputs
        ],
        outputs=[
            OutputDataset(each.namespace, each.name, outputFacets=_statistics("outputStatistics", written, each))
            for each in found.outputs
        ],
    )


def _statistics(name: str, facet: Callable[..., Any], of: Dataset) -> dict[str, Any]:
    known = {"rowCount": of.rows, "size": of.bytes, "fileCount": of.files}
    return {name: facet(**known)} if any(value is not None for value in known.values()) else {}


def _quality(of: Dataset) -> dict[str, Any]:
    """The verdicts on a dataset, and the quantiles of its columns."""
    from openlineage.client.facet_v2 import data_quality_assertions_dataset, data_quality_metrics_input_dataset

    facets: dict[str, Any] = {}
    if of.checks:
        facets["dataQualityAssertions"] = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
            assertions=[_assertion(check) for check in of.checks]
        )
    if of.columns:
        column = data_quality_metrics_input_dataset.ColumnMetrics
        facets["dataQualityMetrics"] = data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet(
            rowCount=of.rows,
            bytes=of.bytes,
            columnMetrics={name: column(quantiles=dict(levels)) for name, levels in of.columns.items()},
        )
    return facets


def _assertion(check: Check) -> Any:
    from openlineage.client.facet_v2 import data_quality_assertions_dataset

    return data_quality_assertions_dataset.Assertion(
        assertion=check.name,
        success=check.passed,
        column=check.about,
        severity="warn",  # no verdict stops a day
        expected=check.expected,
        actual=check.actual,
    )


def _is_on() -> bool:
    try:
        from airflow.providers.openlineage import conf
    except ImportError:  # the extra `openlineage` is not installed
        return False
    return not conf.is_disabled()
