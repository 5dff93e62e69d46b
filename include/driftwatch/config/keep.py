"""The section `storage.keep` of the monitor file: how long a day's files stay."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from driftwatch.config.parts import Section

_Days = Annotated[int, Field(ge=1, le=36_500)]


class KeepConfig(Section):
    """For how many days after a day its files stay (docs/operate/retention.md). null keeps them for ever. Manifest, features, predictions,
    merged labels, verdicts and the upload ledger always stay. What a retraining may still need stays until it is used, whatever is said here."""

    inputs: _Days | None = Field(
        None,
        description="The model's inputs: the pictures of all accepted images, small. Those of the days that a retraining may take, of accepted states and of a retraining under way stay.",
    )
    shown: _Days | None = Field(
        None, description="The copies that annotators were shown. Those of a day whose labels are not merged stay."
    )
    answers: _Days | None = Field(
        None,
        description="Each annotator's own answers and what is known of each annotator of the day. Those of a day that is not judged stay.",
    )
    profiles: _Days | None = Field(
        None,
        description="whylogs profiles in the day's folder, and the bytes that were published. Those that are still to be published stay, and so does what a sink keeps itself.",
    )
    reports: _Days | None = Field(None, description="The day's report, which has pictures in it.")
    leftovers: _Days | None = Field(
        None,
        description="What killed tasks left behind: files of a day's shards, files in a folder that were being written, and checkpoints of a training that has ended.",
    )
    remove: bool = Field(
        False,
        description="Whether the daily task removes what is over. false: it says each day what it would remove, and how much that is.",
    )
