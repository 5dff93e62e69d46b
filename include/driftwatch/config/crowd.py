"""What annotators must do well: the section `labels.quality`, and Toloka's exam of `labels.exam`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from driftwatch.config.parts import Section


class QualityRules(Section):
    """What an annotator must do well. Whoever breaks a rule is banned from the project for `ban_days`. Toloka enforces all of it, the desk what is
    said of control tasks, fast and skipped pages."""

    control_history: int = Field(
        10, ge=1, le=1000, description="How many of an annotator's last control answers the control-task rule looks at."
    )
    control_min_answers: int = Field(
        3, ge=1, le=1000, description="The control-task rule applies from this many control answers on."
    )
    control_min_correct_percent: float = Field(
        60,
        ge=0,
        le=100,
        description="An annotator is banned if fewer than this percent of the control answers are right.",
    )
    fast_seconds: int = Field(
        5,
        ge=1,
        le=3600,
        description="A page counts as fast if it is answered in fewer seconds than this. In Label Studio, where each image is a page of its own, a tenth of it.",
    )
    fast_max: int = Field(
        2, ge=1, le=10, description="An annotator is banned after this many fast pages among the last ten."
    )
    skipped_in_row: int = Field(
        5,
        ge=1,
        le=1000,
        description="An annotator who skips this many pages in a row is banned for a day.",
    )
    majority_min_answers: int = Field(
        20, ge=1, le=10_000, description="The majority rule applies from this many answers on."
    )
    majority_min_correct_percent: float = Field(
        50,
        ge=0,
        le=100,
        description="An annotator is banned if fewer than this percent of the answers agree with the majority.",
    )
    daily_income_limit: float = Field(
        10.0, gt=0, le=10_000, description="An annotator who has earned this many USD in 24 hours pauses for a day."
    )
    ban_days: int = Field(10, ge=1, le=3650, description="How many days a ban lasts.")
    captcha_frequency: Literal["LOW", "MEDIUM", "HIGH"] | None = Field(
        "LOW", description="How often Toloka shows a captcha; null means never."
    )


class ExamConfig(Section):
    """An exam that annotators must pass once before they see the monitor's images. It is a Toloka training: unpaid, and it shows the
    right answer after a mistake. Its images come from the holdout of the original set, and none of them is a control task."""

    tasks: int = Field(10, ge=1, le=100, description="How many images the exam has.")
    passing_percent: int = Field(
        80, ge=0, le=100, description="An annotator passes with this percent of right first answers."
    )
    retry_after_days: int | None = Field(
        30, ge=1, le=365, description="After this many days the exam may be taken again; null means never."
    )
