"""What shuts a person out of a project: haste, wrong control tasks, skipped pages. Each rule looks at what came after the last ban."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from driftwatch.labels.backends.desk.wire import Batch, Rules
from driftwatch_servers.desk.tables import COUNTS, DONE, FAST, SKIPPED, TOO_FAST, answers, bans, pages, tasks
from driftwatch_servers.labelling.source import Haste

_PAGES = 10  # that the rule against haste looks at
_DAY = 86_400.0


@dataclass(frozen=True)
class Worker:
    """A person at a project's work at a moment (Unix seconds)."""

    connection: sa.Connection
    person: str
    project: str
    now: float

    def ban(self) -> str:
        """Why the person is shut out now; empty if the person is not."""
        mine = (bans.c.person == self.person, bans.c.project == self.project, bans.c.ends > self.now)
        return self.connection.scalar(sa.select(bans.c.reason).where(*mine).order_by(bans.c.ends.desc())) or ""

    def haste(self, batch: Batch, tasks_on_page: int) -> Haste:
        """How near the person is to being shut out for haste."""
        last = self._last_pages((DONE, FAST), _PAGES)
        return Haste(last.count(FAST), most_fast(batch.rules), fast_below(batch, tasks_on_page))

    def judge(self, rules: Rules) -> None:
        """Shuts the person out if a rule says so. Called when a page has ended."""
        reason, days = self._broken(rules)
        if reason:
            ban = {"person": self.person, "project": self.project, "ends": self.now + days * _DAY, "reason": reason}
            self.connection.execute(bans.insert().values(ban))

    def _broken(self, rules: Rules) -> tuple[str, int]:
        if self._last_pages((DONE, FAST), _PAGES).count(FAST) >= most_fast(rules):
            return f"pages were answered too fast; you may go on after {_days(rules.ban_days)}", rules.ban_days
        if self._wrong(rules):
            why = "too many images whose answer is known were answered wrong"
            return f"{why}; you may go on after {_days(rules.ban_days)}", rules.ban_days
        skipped = self._last_pages((DONE, FAST, SKIPPED), rules.skipped_in_row)
        if skipped.count(SKIPPED) >= rules.skipped_in_row:
            return f"{rules.skipped_in_row} pages in a row were skipped; you may go on after a day", 1
        return "", 0

    def _wrong(self, rules: Rules) -> bool:
        """Whether too many of the last control tasks were answered wrong."""
        given = (
            sa.select(answers.c.answer == tasks.c.known)
            .join(tasks, sa.and_(tasks.c.batch == answers.c.batch, tasks.c.image_id == answers.c.image_id))
            .join(pages, pages.c.id == answers.c.page)
            .where(tasks.c.known.is_not(None), answers.c.state.in_((COUNTS, TOO_FAST)))
            .where(pages.c.person == self.person, pages.c.project == self.project, answers.c.given > self._since)
            .order_by(answers.c.id.desc())
            .limit(rules.control_history)
        )
        right = [bool(each) for each in self.connection.scalars(given)]
        enough = len(right) >= rules.control_min_answers
        return enough and 100 * sum(right) / len(right) < rules.control_min_correct_percent

    def _last_pages(self, states: tuple[str, ...], most: int) -> list[str]:
        """The states of the person's last pages, the newest first."""
        last = (
            sa.select(pages.c.state)
            .where(pages.c.person == self.person, pages.c.project == self.project)
            .where(pages.c.state.in_(states), pages.c.ended > self._since)
            .order_by(pages.c.ended.desc(), pages.c.id)
            .limit(most)
        )
        return list(self.connection.scalars(last))

    @property
    def _since(self) -> float:
        """When the person's last ban ended."""
        mine = (bans.c.person == self.person, bans.c.project == self.project)
        return self.connection.scalar(sa.select(sa.func.max(bans.c.ends)).where(*mine)) or 0.0


def most_fast(rules: Rules) -> int:
    """With so many fast pages a person is shut out: never with the first one, which brings a warning."""
    return max(2, rules.fast_max)


def fast_below(batch: Batch, tasks_on_page: int) -> float:
    """A page of so many tasks is fast if it took fewer seconds. The setting is for a whole page; a smaller one takes less."""
    return batch.rules.fast_seconds * min(1.0, tasks_on_page / (batch.tasks_per_page + batch.control_per_page))


def _days(days: int) -> str:
    return "a day" if days == 1 else f"{days} days"
