"""The Toloka project and pool as the monitor file describes them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from driftwatch.config import LabelsConfig, MonitorConfig
from driftwatch.labels.choices import choices_of
from driftwatch.labels.hotkeys import hotkeys

if TYPE_CHECKING:
    import toloka.client as toloka

    from driftwatch.artifacts.annotation import AnnotationPlan, KnownImage
    from driftwatch.labels.links import ImageLinks

IMAGE_FIELD = "image"
ID_FIELD = "image_id"
ANSWER_FIELD = "result"
UNCLEAR_HINT = "For images that are broken or cannot be decided"


class ImageTask(NamedTuple):
    """One image and the arguments of its Toloka task, whose types are those of toloka-kit's Task."""

    image_id: str
    arguments: dict[str, Any]


def project_marker(config: MonitorConfig) -> str:
    """Finds the monitor's project again. Other choices make another project, as Toloka's specification cannot change under pools."""
    digest = hashlib.sha256("\n".join(choices_of(config)).encode()).hexdigest()[:12]
    return f"driftwatch:{config.name}:{digest}"


def pool_marker(config: MonitorConfig, title: str) -> str:
    """Finds the pool again. `title`: its day."""
    return f"driftwatch:{config.name}:{title}"


def build_project(config: MonitorConfig) -> toloka.Project:
    """Image above, the question, one button for each choice, and a key where one suffices."""
    import toloka.client as toloka
    import toloka.client.project.template_builder as tb

    annotation, choices = config.labels, choices_of(config)
    hints = {annotation.unclear_answer: UNCLEAR_HINT}
    options = [tb.fields.GroupFieldOption(choice, choice, hint=hints.get(choice)) for choice in choices]
    view = tb.view.ListViewV1(
        [
            tb.view.ImageViewV1(tb.data.InputData(IMAGE_FIELD), rotatable=False, popup=True),
            tb.fields.ButtonRadioGroupFieldV1(
                tb.data.OutputData(ANSWER_FIELD),
                options,
                label=annotation.question,
                validation=tb.conditions.RequiredConditionV1(hint="Choose an answer"),
            ),
        ]
    )
    keys = {
        f"key_{key}": tb.actions.SetActionV1(tb.data.OutputData(ANSWER_FIELD), choice)
        for choice, key in hotkeys(config.classes, annotation.unclear_answer, codes=False).items()
    }
    return toloka.Project(
        public_name=annotation.project_name,
        public_description=annotation.question,
        public_instructions=annotation.instructions,
        private_comment=project_marker(config),
        task_spec=toloka.project.task_spec.TaskSpec(
            input_spec={
                IMAGE_FIELD: toloka.project.UrlSpec(),
                ID_FIELD: toloka.project.StringSpec(hidden=True),
            },
            output_spec={ANSWER_FIELD: toloka.project.StringSpec(allowed_values=choices)},
            view_spec=toloka.project.TemplateBuilderViewSpec(
                view=view, plugins=[tb.plugins.HotkeysPluginV1(**keys)], settings={"showSkip": True}
            ),
        ),
    )


def known_task(links: ImageLinks, known: KnownImage, **arguments: Any) -> ImageTask:
    """A task whose answer is known; `arguments` are more of the task's own."""
    from toloka.client import Task

    return ImageTask(
        known.image_id,
        {
            "input_values": {IMAGE_FIELD: links.link(known.image_id, known.key), ID_FIELD: known.image_id},
            "known_solutions": [Task.KnownSolution(output_values={ANSWER_FIELD: known.label})],
            **arguments,
        },
    )


def build_pool(config: MonitorConfig, plan: AnnotationPlan, title: str) -> toloka.Pool:
    """A closed, empty pool for one day, at the prices and the end that its plan has fixed. `title`: its day."""
    import toloka.client as toloka

    annotation, price = config.labels, plan.cost
    pool = toloka.Pool(
        project_id=plan.project_id,
        private_name=f"{config.name} {title}",
        private_comment=pool_marker(config, title),
        may_contain_adult_content=False,
        will_expire=plan.expires,
        reward_per_assignment=price.reward_per_page,
        assignment_max_duration_seconds=annotation.page_seconds,
        auto_accept_solutions=annotation.acceptance == "automatic",
        auto_accept_period_day=annotation.accept_after_days,
        auto_close_after_complete_delay_seconds=0,
        defaults=toloka.Pool.Defaults(default_overlap_for_new_tasks=plan.overlap),
        filter=toloka.filter.FilterAnd(
            [toloka.filter.FilterOr([toloka.filter.Languages.in_(language) for language in annotation.languages])]
        ),
    )
    pool.set_mixer_config(
        real_tasks_count=price.tasks_per_page or annotation.tasks_per_page,
        golden_tasks_count=annotation.control_tasks_per_page,
        training_tasks_count=0,
        min_real_tasks_count=1,
        force_last_assignment=True,
        force_last_assignment_delay_seconds=10,
    )
    if plan.exam_id and plan.exam:
        pool.set_training_requirement(
            training_pool_id=plan.exam_id, training_passing_skill_value=plan.exam.passing_percent
        )
    add_quality_rules(pool, annotation)
    return pool


def add_quality_rules(pool: toloka.Pool, annotation: LabelsConfig) -> None:
    """Bans by control tasks, haste and disagreement; pauses for skipping and for a day's income."""
    from toloka.client import actions, collectors, conditions
    from toloka.client.user_restriction import DurationUnit, UserRestriction

    rules = annotation.quality

    def ban(reason: str, days: int) -> actions.RestrictionV2:
        return actions.RestrictionV2(
            scope=UserRestriction.PROJECT, duration=days, duration_unit=DurationUnit.DAYS, private_comment=reason
        )

    control = pool.quality_control
    if rules.captcha_frequency:
        control.captcha_frequency = rules.captcha_frequency
    control.add_action(
        collector=collectors.GoldenSet(history_size=rules.control_history),
        conditions=[
            conditions.GoldenSetAnswersCount >= rules.control_min_answers,
            conditions.GoldenSetCorrectAnswersRate < rules.control_min_correct_percent,
        ],
        action=ban("wrong on control tasks", rules.ban_days),
    )
    control.add_action(
        collector=collectors.AssignmentSubmitTime(history_size=10, fast_submit_threshold_seconds=rules.fast_seconds),
        conditions=[conditions.FastSubmittedCount >= rules.fast_max],
        action=ban("answers too fast", rules.ban_days),
    )
    control.add_action(
        collector=collectors.SkippedInRowAssignments(),
        conditions=[conditions.SkippedInRowCount >= rules.skipped_in_row],
        action=ban("skipped too many pages in a row", 1),
    )
    control.add_action(
        collector=collectors.MajorityVote(answer_threshold=2, history_size=50),
        conditions=[
            conditions.TotalAnswersCount >= rules.majority_min_answers,
            conditions.CorrectAnswersRate < rules.majority_min_correct_percent,
        ],
        action=ban("disagrees with the majority", rules.ban_days),
    )
    control.add_action(
        collector=collectors.Income(),
        conditions=[conditions.IncomeSumForLast24Hours >= rules.daily_income_limit],
        action=ban("daily income limit", 1),
    )
