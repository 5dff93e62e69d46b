"""What people ask of Driftwatch: each question begins at the overview of a real Airflow and is answered there, or after one click."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from .broken_camera import BROKEN, FIRST_MODEL, LAST, NAME, PLANNED, RUN, SINCE
from .conftest import Pages

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]


class Asked:
    """The overview in a browser, with the row of the monitor that is asked about, and the artifacts that must answer."""

    def __init__(self, pages: Pages) -> None:
        self.page = pages.opened("/")
        link = self.page.get_by_role("link", name=NAME, exact=True)
        self.row = self.page.locator(".monitors tbody tr", has=link)
        self._storage, self.keys = pages.storage, pages.layout(NAME)

    @property
    def said(self) -> str:
        return " ".join(self.row.text_content().split())

    def one_click(self, link: str) -> Any:
        """The page behind a link of the row, once its pictures in sight are there."""
        self.row.get_by_role("link", name=link, exact=True).click()
        self.page.wait_for_url(lambda url: not url.endswith("/driftwatch/"))
        self.page.wait_for_load_state("networkidle")
        return self.page

    def of_day(self, name: str, day: date = LAST) -> dict[str, Any]:
        found: dict[str, Any] = self._storage.read_json(getattr(self.keys.day(day), name))
        return found

    def table(self, name: str) -> Any:
        return self._storage.read_table(getattr(self.keys.day(LAST), name))

    def gate(self) -> dict[str, Any]:
        found: dict[str, Any] = self._storage.read_json(self.keys.retraining(RUN, "gate.json"))
        return found


@pytest.fixture
def asked(pages: Pages) -> Iterator[Asked]:
    found = Asked(pages)
    yield found
    found.page.context.close()


def share(found: dict[str, Any]) -> str:
    """A share with its interval, as the pages write it: `63.6 % [53, 73]`."""
    value, low, high = (100 * found[name] for name in ("value", "low", "high"))
    return f"{value:.3g} % [{low:.0f}, {high:.0f}]"


def test_is_it_ok_today(asked: Asked) -> None:
    performance = asked.of_day("performance")
    assert performance["verdict"] == "alert"
    assert asked.row.get_attribute("data-tone") == "bad"
    assert str(LAST) in asked.said
    assert f"the model got worse: accuracy {share(performance['accuracy'])}, " in asked.said
    assert ", floor 70 %" in asked.said
    assert asked.page.locator(".monitors tbody tr").first.get_by_role("link", name=NAME, exact=True).count() == 1


def test_why_not(asked: Asked) -> None:
    performance, drift = asked.of_day("performance"), asked.of_day("drift")
    assert [found["name"] for found in drift["segments"] if found["status"] == "drifted"] == [BROKEN]
    assert f"The images changed (1 of {len(drift['segments'])} cameras: {BROKEN}, " in asked.said
    assert performance["accuracy"]["value"] < performance["floor"]
    assert f"{share(performance['accuracy'])} worse" in asked.said


def test_since_when(asked: Asked) -> None:
    images, model = asked.of_day("episodes")["episodes"]
    assert (images["since"], model["since"]) == (str(SINCE), str(LAST))
    assert f"Images: since {images['since']}, day {images['alarms']}, now {images['features']} features" in asked.said
    assert f"Model: since {model['since']}, day {model['alarms']}, " in asked.said


def test_what_changed_beside_what_is_normal(asked: Asked) -> None:
    page = asked.one_click("Beside usual images")
    pair = page.locator(".beside > li").first
    changed, usual = (pair.get_by_alt_text(f"{kind}: ") for kind in ("This day", "Usual"))
    for picture in (changed, usual):
        picture.wait_for()
        page.wait_for_function("picture => picture.complete && picture.naturalWidth > 0", arg=picture.element_handle())
        assert picture.bounding_box()["y"] < page.viewport_size["height"]
    *_, day, image_id, _ = usual.locator("..").get_attribute("href").split("/")
    assert day < str(SINCE)
    *_, day, image_id, _ = changed.locator("..").get_attribute("href").split("/")
    assert day == str(LAST)
    manifest, features = (asked.table(name).set_index("image_id") for name in ("manifest", "features"))
    assert manifest["segment.camera"][image_id] == BROKEN
    moved = asked.of_day("drift")["features"][0]
    low, *_, high = moved["reference_quantiles"]
    value, range_low, range_high = map(float, re.search(r"noise (-?[\d.]+) .*?usual ([\d.]+) to ([\d.]+)", " ".join(pair.text_content().split())).groups())  # type: ignore[union-attr]  # fmt: skip
    assert moved["feature"] == "image.Sharpness.noise"
    assert (value, range_low, range_high) == pytest.approx((features[moved["feature"]][image_id], low, high), rel=0.01)


def test_which_camera_and_which_class(asked: Asked) -> None:
    performance = asked.of_day("performance")
    (camera,) = (found for found in performance["segments"] if found["verdict"] == "alert")
    recalls = {name: found["recall"] for name, found in performance["classes"].items()}
    worst = min(recalls, key=lambda name: recalls[name]["value"])
    labels, rows = performance["confusion_matrix"]["labels"], performance["confusion_matrix"]["rows"]
    taken = rows[labels.index(worst)][1 - labels.index(worst)]
    card = " ".join(asked.one_click(NAME).locator(".now").text_content().split())
    assert (
        f"Worse are 1 of {len(performance['segments'])} segments: camera {BROKEN} {share(camera['accuracy'])}" in card
    )
    assert f"Worst class {worst}: {share(recalls[worst])} of {recalls[worst]['n']} images found" in card
    assert f"most often taken for {labels[1 - labels.index(worst)]} ({taken})" in card


def test_what_people_disagreed_about(asked: Asked) -> None:
    performance, labels, assignments = asked.of_day("performance"), asked.table("labels"), asked.table("assignments")
    page = asked.one_click("What people disagreed about")
    headings = page.locator("h2").all_text_contents()
    assert headings[:2] == [f"Ties: {performance['ties']}", f"Unclear: {performance['unclear']}"]
    tied = labels[labels["status"] == "tie"].iloc[0]
    votes = ", ".join(f"{name}\N{NO-BREAK SPACE}{tied[f'votes.{name}']}" for name in ("cat", "dog", "unclear"))
    assert page.locator("#ties figure").count() == performance["ties"]
    assert f"people: {votes}" in page.locator("#ties").text_content()
    assert page.locator("#ties img").first.is_visible()
    counted = asked.table("assignments")["control"].value_counts()
    assert page.get_by_text(f"{len(assignments)} answers = {counted[False]} + {counted[True]}").is_visible()


def test_what_it_cost(asked: Asked) -> None:
    plans = [asked.of_day("annotation", LAST - timedelta(days=back)) for back in range(4)]
    paid, planned = (sum(found) for found in zip(*((plan["progress"]["spent"], plan["cost"]["total"]) for plan in plans), strict=True))  # fmt: skip
    assert planned == 4 * PLANNED
    assert f"{paid:.2f} of {planned:.2f} USD paid" in asked.said
    assert "of the limit of 300.00 used" in asked.said


def test_what_the_retraining_changed_and_whether_it_can_be_trusted(asked: Asked) -> None:
    gate = asked.gate()
    page = asked.one_click(gate["version"])
    said = " ".join(page.locator("main").text_content().split())
    assert f"{gate['version']} champion: serves now" in said
    assert f"Gate: passed, against {FIRST_MODEL}" in said
    for row, part in zip(page.locator("table.stack:has(th:text-is('Challenger'))").first.locator("tbody tr").all(), ("recent", "clean"), strict=True):  # fmt: skip
        found, cells = gate[part], row.locator("td").all_text_contents()
        before, after = (100 * found["right"][who] / found["n"] for who in ("champion", "challenger"))
        assert (cells[0], cells[3]) == (str(found["n"]), f"{found['won']}, {found['lost']}")
        assert (cells[1].split(" ")[0], cells[2].split(" ")[0]) == (f"{before:.1f}", f"{after:.1f}")
        assert cells[4].startswith(f"{100 * found['difference']:+.1f} points at least {100 * found['low']:+.1f}")
        assert float(cells[5]) == pytest.approx(found["p_value"], rel=0.01)
    assert all(reason in said for reason in gate["reasons"])
    matrices = [matrix.locator("td.cell b").all_text_contents() for matrix in page.locator("table.matrix").all()[:2]]
    wanted = [gate["recent"][who]["confusion_matrix"]["rows"] for who in ("champion", "challenger")]
    assert matrices == [[str(n) for row in rows for n in row] for rows in wanted]


def test_what_now(asked: Asked) -> None:
    gate, decision = asked.gate(), asked.of_day("decision")
    done = f"The retraining {decision['run_id']} made {gate['version']}, which passed the gate and was promoted instead of {gate['champion']}."
    assert done in asked.said
    page = asked.one_click(NAME)
    card = page.locator(".now")
    assert done in " ".join(card.text_content().split())
    assert card.get_by_role("link", name="Its run").get_attribute("href").endswith(f"/dags/{NAME}_retraining/runs/{RUN}")  # fmt: skip
    here = f"/driftwatch/m/{NAME}"
    ways = {
        "Accept this change": f"{here}/days/{LAST}/#usual",
        "Compare both models": f"{here}/models#{gate['version']}",
        f"Roll back to {gate['champion']}": f"{here}/models#{gate['champion']}",
    }
    steps = card.locator(".steps a")
    assert {link.text_content(): link.get_attribute("href") for link in steps.all()} == ways
    assert all(link.bounding_box()["y"] < page.viewport_size["height"] for link in steps.all())
