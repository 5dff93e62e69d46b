"""What counts as usual, changed by a form: days are accepted or withdrawn, features and segments muted."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from airflow.sdk.timezone import utcnow

from driftwatch.errors import NeedsAttention
from driftwatch_airflow.decisions import log_decision
from driftwatch_airflow.monitor import MonitorOperator, who_started

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk.definitions.context import Context

    from driftwatch.artifacts.reference import BaselineDecision


class ChangeReferenceOperator(MonitorOperator):
    """Does what the form says, and keeps who asked for it, when and why. A repeated task changes nothing more."""

    ui_color = "#f9f3e3"

    def execute(self, context: Context) -> str:
        form = context["params"]
        does = {"accept": self._accept, "withdraw": self._withdraw, "mute": self._mute, "unmute": self._unmute}
        who = who_started(context)
        said = does[form["action"]](form, who)
        about: dict[str, Any] = {name: form.get(name) for name in ("days", "state", "name", "since", "until", "reason")}
        log_decision(
            self.log,
            "reference_changed",
            said,
            monitor=self.monitor.name,
            action=form["action"],
            by=who,
            **about,
        )
        return said

    def _accept(self, form: Mapping[str, Any], who: str) -> str:
        from driftwatch.artifacts.days import days_in
        from driftwatch.drift.accepted import accept

        days = days_in(_asked(form, "days"))
        state = accept(self.store, days, self._decision("accepted", form, who), form.get("state") or "")
        return f"{state.name}: days after {state.days[-1]} that are like it are usual ({state.images} images)"

    def _withdraw(self, form: Mapping[str, Any], who: str) -> str:
        from driftwatch.drift.accepted import withdraw

        state = withdraw(self.store, _asked(form, "state"), self._decision("withdrawn", form, who))
        return f"{state.name} is not usual any more; days that were judged keep their verdict"

    def _mute(self, form: Mapping[str, Any], who: str) -> str:
        from driftwatch.artifacts.reference import Mute
        from driftwatch.drift.mutes import FEATURE, SEGMENT, add_mute

        name, until = _asked(form, "name"), date.fromisoformat(_asked(form, "until"))
        about = {"what": SEGMENT if "=" in name else FEATURE, "name": name, "since": self._since(form), "until": until}
        mute = add_mute(self.store, Mute.model_validate({**about, **_signature(form, who)}))
        return f"{mute.what} {mute.name} does not alarm from {mute.since} to {mute.until}"

    def _unmute(self, form: Mapping[str, Any], who: str) -> str:
        from driftwatch.drift.mutes import end_mutes

        name, since = _asked(form, "name"), self._since(form)
        end_mutes(self.store, name, since)
        return f"{name} alarms again from {since} on, says {who}"

    def _decision(self, what: str, form: Mapping[str, Any], who: str) -> BaselineDecision:
        from driftwatch.artifacts.reference import BaselineDecision

        return BaselineDecision.model_validate({"what": what, **_signature(form, who)})

    def _since(self, form: Mapping[str, Any]) -> date:
        if form.get("since"):
            return date.fromisoformat(form["since"])
        days = self.store.days()
        if not days:
            raise NeedsAttention("no day was run yet: name the first day in the form's field From")
        return days[-1]


def _asked(form: Mapping[str, Any], field: str) -> str:
    """What the form says in `field`. Raises NeedsAttention where it is empty."""
    text = (form.get(field) or "").strip()
    if not text:
        raise NeedsAttention(
            f"the form's {field} is empty, and {form['action']} needs it: trigger the DAG again with it"
        )
    return text


def _signature(form: Mapping[str, Any], who: str) -> dict[str, object]:
    """Who decides, when, and why."""
    return {"by": who, "at": utcnow(), "reason": _asked(form, "reason")}
