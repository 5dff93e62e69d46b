"""The report, the pages, their charts, the command line, the alerts and the approval form never show two numbers or words for one thing.

Days of every kind are shown by all of them. What each says is read from its own text, and compared.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.alerts import ModelPromoted
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.retraining import GateResult
from driftwatch.config import MonitorConfig
from driftwatch.view.alerts import alert_text
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.comparison import comparison
from driftwatch.view.days import read_days
from driftwatch.view.report.facts import gather
from driftwatch.view.retrained import of_alert
from driftwatch.view.versions import lines
from driftwatch.view.what_now import of_day, of_monitor

from .conftest import ACCURACY, RUN, SHARE, USUAL, Shown, badges, one, stored, text_of


def test_accuracy_is_one_text_everywhere(shown: Shown) -> None:
    if not shown.day.has(Performance):
        assert shown.series["performance"]["accuracy"]["text"][shown.place] == "–"
        return
    said = one(rf"accuracy ({ACCURACY}){USUAL}, floor", text_of(shown.report))
    value, _, ends = said.partition(" [")
    floor = one(rf"accuracy {ACCURACY}{USUAL}, floor ({SHARE})", text_of(shown.report))
    assert one(rf"accuracy ({ACCURACY}){USUAL}, floor", text_of(shown.day_page)) == said
    assert one(rf'data-name="Accuracy"[^>]*><div>({ACCURACY})', shown.overview) == said
    number = one(
        rf"Accuracy ({SHARE}|–) ", text_of(shown.report).split("The day in numbers")[-1].split("Features that")[0]
    )
    assert number == value
    performance = shown.series["performance"]
    assert performance["accuracy"]["text"][shown.place] == value
    assert performance["floor_text"][shown.place] == floor
    tip = one(rf"<title>{shown.day.date}: ({SHARE} \[\d+, \d+\]), ", shown.report)
    assert tip == said
    in_words = one(rf"{shown.day.date}  .*?accuracy (\S+) \(", shown.cli("verdicts"))
    assert float(in_words.rstrip("%")) == float(value.rstrip(" %"))
    for subject, message in shown.alerts():
        for found in re.findall(rf"accuracy:? ({ACCURACY})", subject + message.partition("Because")[0]):
            assert found == said
    assert f"[{ends}" in shown.day_page


def test_versions_have_one_line_everywhere(shown: Shown) -> None:
    found = shown.day.find(Performance)
    said = lines(found)
    assert bool(said) == bool(found and found.versions)
    listed = [text.strip() for text in shown.cli("verdicts").split(shown.day.date.isoformat())[-1].splitlines()[1:]]
    assert listed[: len(said)] == said
    for page in (shown.report, shown.day_page):
        assert ('id="versions"' in page) == bool(said)
    for row in said:
        assert row in text_of(shown.overview)
        name, _, numbers = row.partition(" (")
        assert name in text_of(shown.report)
        for number in re.findall(rf"{SHARE} \[\d+, \d+\]|[+-][\d.]+ points \[[^]]*\]", numbers):
            assert number in text_of(shown.report)
            assert number in text_of(shown.day_page)
    for message in (message for _, message in shown.alerts() if "labels: " in message):
        assert ("versions: " in message) == bool(said)
        assert "; ".join(said) in message


def test_verdicts_have_one_word_and_one_tone_everywhere(shown: Shown) -> None:
    at_top = dict(word.split(": ") for tone, word in badges(shown.report) if word.startswith(("Images: ", "Model: ")))
    assert badges(shown.day_page) == badges(shown.report)
    tone = one(r'<header class="card head (\w+)"', shown.report)
    assert one(r'<header class="card head (\w+)"', shown.day_page) == tone
    assert shown.series["tone"][shown.place] == tone
    address = re.escape(f'{shown.monitor}/days/{shown.day.date}/" title="')
    assert one(rf'<a class="daycell (\w+)(?: episode)?" href="[^"]*{address}', shown.overview) == tone
    tip = html.unescape(one(rf'{address}{shown.day.date}: (.*?)"', shown.overview))
    assert tip == shown.series["said"][shown.place]
    for topic, word in at_top.items():
        judged = "about the" if word == "not enough evidence" else topic.lower()
        assert f"{topic.lower()} {word}" in tip or f"{word} {judged}" in tip or f"{topic.lower()} not judged yet" in tip
    of_kinds = re.findall(r'<b>Image quality</b>.*?<span class="badge (\w+)">(.*?)</span>', shown.report)
    assert [word for _, word in of_kinds] == [at_top["Images"]]
    if shown.day.has(Performance):
        verdict = one(
            rf'data-name="Accuracy"[^>]*><div>{ACCURACY} <span class="badge \w+">(.*?)</span>', shown.overview
        )
        assert verdict == at_top["Model"]


def test_verdicts_have_one_name_in_charts_tables_and_lists(shown: Shown) -> None:
    if not shown.day.has(Performance):
        return
    name = shown.series["words"]["verdicts"][shown.series["performance"]["verdict"][shown.place]]
    said = one(rf"<title>{shown.day.date}: {SHARE} \[\d+, \d+\], (.*?), \d+ labels, model", shown.report)
    listed = one(rf"{shown.day.date}  (\w+)", shown.cli("verdicts"))
    assert (said, listed.replace("_", " ")) == (name, name)
    for subject, message in shown.alerts():
        if "content:" in message:
            answers = shown.day.read(ContentDrift)
            word = shown.series["words"]["verdicts"][answers.content.verdict]
            assert one(r"content: ([\w ]+)[,:]", message) == word, subject


def test_features_that_moved_are_counted_and_named_alike(shown: Shown) -> None:
    drift = shown.day.read(DayDrift)
    counted = one(r"Features that moved (\d+ of \d+|–)", text_of(shown.report))
    assert counted == f"{len(drift.drifted_features)} of {len(drift.features)}"
    table = re.findall(r'<td title="[^"]*">(?:<b>)?([^<]*)<.*?<td class="wide">(.*?)</td>', shown.report)
    monitor = re.findall(r'data-feature=.*?<span[^>]*>([^<]*)(?:<small>(.*?)</small>)?</span><span class="badge \w+">(.*?)</span>', shown.page(f"{shown.monitor}/"))  # fmt: skip
    assert [(name, looks or word) for name, looks, word in monitor] == table
    assert [name for name, _, word in monitor if word == "moved"] == [
        shown.series["features"][column]["name"] for column in drift.drifted_features
    ]
    (_, message), *_ = shown.alerts()
    assert one(r"features that moved: (\d+ of \d+),", message) == counted
    p_value = one(r"Features that moved [^·]*?(p [<=] [\d.e-]+) ·", text_of(shown.report))
    assert one(r"evidence: (p [<=] [\d.e-]+) on", message) == p_value
    if drift.verdict == "drifted":
        assert f"{counted} moved" in shown.overview


def test_the_shift_of_the_predicted_classes_is_told_once(shown: Shown) -> None:
    if not shown.day.has(ContentDrift):
        return
    said = one(
        r"shares of the classes \w[\w ]*? ((?:[\w ]+ \d+ % → \d+ %(?: and |, )?)+)", text_of(shown.report)
    ).strip()
    assert said in text_of(shown.day_page)
    alert = next(subject for subject, message in shown.alerts() if "predictions:" in message)
    assert said in alert
    usual, today = ({name: part for name, *parts in re.findall(r"(\w+) (\d+ %) → (\d+ %)", said) for part in parts[turn:turn + 1]} for turn in (0, 1))  # fmt: skip
    doubt = one(r"the model answers (.*?), on its holdout", text_of(shown.report))
    assert dict(re.findall(r"(\w+) (\d+ %)", doubt)) == today
    holdout = one(r"on its holdout (.*?)\. Either", text_of(shown.report))
    assert dict(re.findall(r"(\w+) (\d+ %)", holdout)) == usual


def test_the_days_confusions_are_one_table(shown: Shown) -> None:
    if not shown.day.has(Performance):
        return
    found = json.loads(shown.page(f"{shown.monitor}/confusions.json?first={shown.day.date}&last={shown.day.date}"))
    for page in (shown.report, shown.day_page):
        cells = re.findall(
            r'<td class="cell( wrong)? h(\d+)"(?: title="(.*?)")?><b>(\d*)</b><small>(.*?)</small>', page
        )
        mine = [cell for row in found["table"]["rows"] for cell in row["cells"]]
        assert [(not wrong, int(heat), html.unescape(said), int(n or 0), share) for wrong, heat, said, n, share in cells] == [
            (cell["right"], cell["heat"], cell["said"], cell["n"], cell["share"]) for cell in mine
        ]  # fmt: skip
        pairs = re.findall(r'name-of">([^<]*)</span></td><td[^>]*><span class="name-of">([^<]*)</span></td><td[^>]*>(\d+)</td><td[^>]*>(.*?)<', page)  # fmt: skip
        mine = found["table"]["pairs"]
        assert pairs == [(pair["truth"], pair["predicted"], str(pair["n"]), pair["share"]) for pair in mine]
        assert found["table"]["title"] in page
        assert found["table"]["rest"] in page
    right = one(rf"; ({SHARE}) right", found["note"])
    assert right == shown.series["performance"]["accuracy"]["text"][shown.place]


def test_new_models_are_the_same_days_in_chart_table_and_series(shown: Shown) -> None:
    days = shown.series["days"][max(0, shown.place - 13) :]
    mine = [(found["day"], found["version"]) for found in shown.series["takeovers"] if found["day"] in days[1:]]
    assert re.findall(r">new model ([^<]*)<", shown.report) == [version for _, version in mine]
    told = one(
        r"New models of these days (none|[\d-]+ \([\w-]+\)|[\w-]+, from the retraining of this day)",
        text_of(shown.report),
    )
    after = of_alert(Artifacts(shown.day.monitor), shown.day.date)
    if after is not None and after.state == "promoted":
        assert told == f"{after.version}, from the retraining of this day"
    else:
        assert told == (f"{mine[0][0]} ({mine[0][1]})" if mine else "none")


def test_what_now_is_one_text_on_every_page_in_the_report_on_the_command_line_and_in_the_alert(shown: Shown) -> None:
    artifacts = Artifacts(shown.day.monitor)
    days = read_days(artifacts)
    card = of_monitor(days, artifacts)
    assert card is not None
    assert card.day == shown.day.date
    facts = gather(shown.day)
    of_this_day = of_day(facts.as_day, facts.retraining, facts.config, facts.before)
    assert (of_this_day.said, of_this_day.tone in (card.tone, "waiting")) == (card.said, True)
    for page, found in (
        (shown.day_page, of_this_day),
        (shown.report, of_this_day),
        (shown.page(f"{shown.monitor}/"), card),
    ):
        text = text_of(page)
        for said in (found.said, *found.where, *(done.text for done in found.done), found.advice):
            assert " ".join(said.split()) in text
    assert f'class="card head now {of_this_day.tone}"' in shown.day_page
    assert card.advice in shown.cli("now")
    assert 'data-name="What now"' in shown.overview
    assert card.short in text_of(shown.overview)
    for subject, message in shown.alerts():
        advice = message.split("What to do: ")[1].split("\n")[0].rstrip(".")
        if "model got worse" in subject and card.done:  # the alert was written before the retraining had begun
            continue
        if "images" in subject and shown.day.has(Performance):
            continue  # by now the labels have told
        assert advice[1:] in card.advice


def test_late_images_and_reasons_are_said_alike(shown: Shown) -> None:
    report, page = text_of(shown.report), text_of(shown.day_page)
    for said in re.findall(r"[^.]*came after the day[^.]*\.", report):
        assert said.strip() in page
    found = shown.day.find(Performance)
    for _, message in shown.alerts():
        if "Because" in message:
            assert found is not None
            assert all(" ".join(reason.split()) in report for reason in found.reasons)
            assert one(r"Because: (.*)", message) == " ".join(found.reasons)


def test_the_gate_is_told_alike_to_who_decides_who_looks_and_who_is_told(
    config: MonitorConfig, show: Callable[..., Shown]
) -> None:
    day = stored(config)
    shown = show(day.config, day.date)
    gate = day.monitor.read(day.monitor.keys.retraining(RUN, "gate.json"), GateResult)
    page, form = text_of(shown.page(f"{shown.monitor}/models")), comparison(day.monitor, RUN)
    _, alert = alert_text(day.config.name, ModelPromoted(run_id=RUN, version=gate.version, gate=gate), {})
    listed = shown.cli("models", "compare", gate.champion, gate.version)
    assert all(reason in page and reason in form for reason in gate.reasons)
    word = one(r"Gate: ([\w ]+), against", page)
    (retraining,) = shown.series["retrainings"]
    assert shown.series["words"]["gates"][retraining["decision"]] == f"gate {word}"
    assert retraining["decision"] in listed
    rows = dict(re.findall(rf"(Recent days|Clean images) (\d+ {SHARE} \[\d+, \d+\] {SHARE})", page))
    in_form = re.findall(r"\| accuracy \| (\d+) \| ([\d.]+)% .*? \| ([\d.]+)% ", form)
    in_alert = re.findall(rf"on (?:recent days|clean images): ({SHARE}) → ({SHARE}) of (\d+)", alert)
    assert len(rows) == len(in_form) == len(in_alert) == 2
    for row, (n, before, after), told in zip(rows.values(), in_form, in_alert, strict=True):
        assert (float(before), float(after)) == tuple(float(share.rstrip(" %")) for share in told[:2])
        assert re.findall(SHARE, row) == list(told[:2])
        assert row.split()[0] == n == told[2]
    held, *_ = re.findall(rf"On its holdout ({SHARE})", page)  # the newest version is first
    assert float(held.rstrip(" %")) == float(one(rf"{gate.version}  ([\d.]+)%", shown.cli("models")))
