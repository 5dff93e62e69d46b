"""Who may see and do what, with Airflow's simple and its FAB auth manager, at the root of the address and below a path: real logins over HTTP on a
real api-server.

It starts three api-servers, so `make test` leaves it out: `make test-faults` runs it.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from driftwatch.artifacts.store import DayStore
from driftwatch_sandbox.demo.world import World
from driftwatch_sandbox.photos import write_photos
from driftwatch_servers.private_files import write_private

from . import broken_camera
from .conftest import SCRAPER, write_monitor

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.all_faults("it starts three api-servers"),
]

ROLES = ("viewer", "user", "op", "admin")
MAY_ACT = ("user", "op", "admin")
WORDS = "a-Password-of-17"
ONE = "one_monitor"  # a role of FAB's that may read one monitor's DAG alone
OTHER = "cats_vs_dogs"
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
KINDS = [("simple", "/ops/airflow"), ("fab", ""), ("fab", "/ops/airflow")]


@dataclass
class Office:
    """A running api-server. `path`: below which Airflow is served. `image_id`: of an image with a page. `photo_id`: of one whose file is there, which has
    taken the place of `gone_id` in the manifest."""

    kind: str
    host: str
    path: str
    image_id: str
    photo_id: str
    gone_id: str
    logged_in: dict[str, httpx.Client] = field(default_factory=dict)

    @property
    def pages(self) -> str:
        return f"{self.path}/driftwatch"

    @property
    def people(self) -> tuple[str, ...]:
        return ROLES if self.kind == "simple" else (*ROLES, ONE)

    def client(self, who: str | None) -> httpx.Client:
        """A browser, logged in as that person by the login page's own way; nobody where `who` is none."""
        if who is None:
            return httpx.Client(base_url=self.host, trust_env=False, timeout=120)
        if who not in self.logged_in:
            client = httpx.Client(base_url=self.host, trust_env=False, timeout=120)
            answer = client.post(f"{self.path}/auth/token", json={"username": who, "password": WORDS})
            assert answer.status_code == 201, (who, answer.text)
            client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            self.logged_in[who] = client
        return self.logged_in[who]

    def get(self, who: str | None, address: str) -> httpx.Response:
        return self.client(who).get(f"{self.pages}{address}")


def images_of(day: DayStore) -> tuple[str, str, str]:
    """The ids of two images of the day, and the id that the second had before a real file was put in its place."""
    manifest = day.storage.read_table(day.keys.manifest)
    first, second = manifest.index[manifest["status"] == "accepted"][:2]
    (photo,) = write_photos(Path(day.storage.path("photo")), {"cat": 1}, seed=1)
    data, gone = photo.read_bytes(), manifest.loc[second, "image_id"]
    manifest.loc[second, ["image_id", "bytes"]] = [hashlib.sha256(data).hexdigest(), len(data)]
    day.storage.write_bytes(manifest.loc[second, "key"], data)
    day.storage.write_table(day.keys.manifest, manifest)
    return manifest.loc[first, "image_id"], manifest.loc[second, "image_id"], gone


def administrator_of_fab(world: World) -> None:
    """Makes the administrator on the command line."""
    create = ["airflow", "users", "create", "--username", "admin", "--role", "Admin", "--password", WORDS]
    named = ["--firstname", "a", "--lastname", "b", "--email", "admin@example.org"]
    world.processes.run("users", [*create, *named], world.env)


def people_of_fab(office: Office) -> None:
    """Makes the other people and the role of one monitor by FAB's own API, as an administrator does."""
    admin = office.client("admin")

    def post(kind: str, body: dict[str, Any]) -> None:
        answer = admin.post(f"{office.path}/auth/fab/v1/{kind}", json=body)
        assert answer.is_success, answer.text

    rights = [(f"DAG:{broken_camera.NAME}_{kind}", "can_read") for kind in ("monitoring", "retraining")]
    actions = [
        {"action": {"name": action}, "resource": {"name": resource}}
        for resource, action in [*rights, ("Website", "can_read")]
    ]
    post("roles", {"name": ONE, "actions": actions})
    for name in (*ROLES[:-1], ONE):
        role = ONE if name == ONE else name.capitalize()
        who = {"first_name": name, "last_name": "b", "email": f"{name}@example.org"}
        post("users", {"username": name, "password": WORDS, "roles": [{"name": role}], **who})


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: f"{kind[0]} at {kind[1] or 'the root'}")
def office(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    kind, path = request.param
    world = World(tmp_path_factory.mktemp("office"))
    settings = {
        "AIRFLOW__API__BASE_URL": f"{world.url('airflow')}{path}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{world.url('airflow')}{path}/execution/",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
        "DRIFTWATCH_METRICS_TOKEN": SCRAPER,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{role}:{role}" for role in ROLES),
    }
    world.settings = settings | ({"AIRFLOW__CORE__AUTH_MANAGER": FAB} if kind == "fab" else {})
    write_monitor(world, 3)
    last = broken_camera.write_days(write_monitor(world, 0, name=broken_camera.NAME, **broken_camera.SETTINGS))
    found = Office(kind, world.url("airflow"), path, *images_of(last))
    try:
        world.prepare_airflow()
        write_private(world.home / "passwords.json", json.dumps(dict.fromkeys(ROLES, WORDS)))
        if kind == "fab":
            administrator_of_fab(world)
        world.processes.start("api-server", ["airflow", "api-server"], world.env)
        world.processes.start("dag-processor", ["airflow", "dag-processor"], world.env)
        health = f"{world.url('airflow')}{path}/api/v2/monitor/health"
        world.processes.wait_for_http("api-server", health, lambda answer: answer.is_success)
        wait_for_dags(found)
        if kind == "fab":
            people_of_fab(found)
        yield found
    finally:
        world.processes.stop()


def wait_for_dags(office: Office, seconds: float = 300) -> None:
    end, client = time.monotonic() + seconds, office.client("admin")
    wanted = {
        f"{name}_{kind}" for name in (broken_camera.NAME, OTHER) for kind in ("monitoring", "reference", "forget")
    }
    while True:
        dags = client.get(f"{office.path}/api/v2/dags", params={"limit": 100}).raise_for_status().json()["dags"]
        if wanted <= {dag["dag_id"] for dag in dags}:
            return
        assert time.monotonic() < end, dags
        time.sleep(1)


def addresses(office: Office) -> list[str]:
    """Everything that a monitor shows."""
    day, image = f"/m/{broken_camera.NAME}/days/{broken_camera.LAST}", f"images/{broken_camera.LAST}/{office.image_id}"
    monitor = f"/m/{broken_camera.NAME}"
    return [
        f"{monitor}/", f"{monitor}/models", f"{monitor}/series.json", f"{day}/", f"{day}/report.html", f"{day}/evidence",
        f"{monitor}/{image}/", f"{monitor}/{image}/view.jpg",
        f"{monitor}/images/{broken_camera.LAST}/{office.photo_id}/original",
    ]  # fmt: skip


def test_everybody_with_a_role_reads_every_page_picture_and_original_of_a_monitor(office):
    for who in office.people:
        for address in ["/", *addresses(office)]:
            assert office.get(who, address).status_code == 200, (who, address)
    original = office.get("viewer", addresses(office)[-1])
    assert original.headers["content-type"] == "image/jpeg"


def test_nobody_reads_anything_without_a_login_but_the_pages_style(office):
    for address in ["/", *addresses(office), "/metrics"]:
        assert office.get(None, address).status_code == 401, address
    page = office.get(None, "/").text
    for file in re.findall(r'(?:href|src)="([^"]+/static/[^"]+)"', page):
        assert office.client(None).get(file).status_code == 200, file


def test_a_role_for_one_monitors_dag_shows_that_monitor_alone(office):
    if office.kind != "fab":
        pytest.skip("the simple auth manager has no rights on single DAGs")
    overview = office.get(ONE, "/").text
    assert f"/m/{broken_camera.NAME}/" in overview
    assert f"/m/{OTHER}/" not in overview
    assert office.get(ONE, f"/m/{OTHER}/").status_code == 403
    numbers = office.get(ONE, "/metrics").text
    assert f'monitor="{broken_camera.NAME}"' in numbers
    assert f'monitor="{OTHER}"' not in numbers


def test_the_numbers_are_for_whoever_is_logged_in_and_for_the_scrapers_own_token(office):
    for who in ROLES:
        answer = office.get(who, "/metrics")
        assert (answer.status_code, f'monitor="{OTHER}"' in answer.text) == (200, True)
    with httpx.Client(base_url=office.host, trust_env=False, timeout=120) as scraper:
        scraper.headers["Authorization"] = f"Bearer {SCRAPER}"
        assert scraper.get(f"{office.pages}/metrics").status_code == 200
        assert scraper.get(f"{office.pages}/").status_code in (401, 403)
        scraper.headers["Authorization"] = f"Bearer {SCRAPER}x"
        assert scraper.get(f"{office.pages}/metrics").status_code in (401, 403)


def test_every_link_file_and_way_from_airflow_stays_below_the_path(office):
    for address in ["/", *addresses(office)[:2], *addresses(office)[3:4], addresses(office)[6]]:
        page = office.get("viewer", address).text
        found = [html.unescape(each) for each in re.findall(r'(?:href|src|data-runs|data-page)="([^"#]+)"', page)]
        inside = [each for each in found if each.startswith("/")]
        assert inside
        assert [each for each in inside if not each.startswith(f"{office.path}/")] == [], address
        for each in inside:
            # The days of the other monitor are numbers alone.
            if each.startswith(f"{office.pages}/") and f"/{OTHER}/days/" not in each and office.gone_id not in each:
                assert office.client("viewer").get(each, follow_redirects=True).status_code == 200, each
    for dag_id, there in (
        (f"{broken_camera.NAME}_monitoring", f"/m/{broken_camera.NAME}/"),
        (f"{broken_camera.NAME}_retraining", f"/m/{broken_camera.NAME}/models"),
        ("driftwatch_watch", "/"),
    ):
        assert office.get("viewer", f"/dag/{dag_id}").headers["location"] == f"{office.pages}{there}"


def test_a_login_leads_back_to_the_page_that_was_asked_for(office):
    asked = f"{office.pages}/m/{broken_camera.NAME}/"
    with httpx.Client(base_url=office.host, trust_env=False, timeout=120, follow_redirects=True) as browser:
        page = browser.get(asked)
        (login,) = re.findall(r'href="([^"]+)">Log in to Airflow', page.text)
        assert login == f"{office.path}/api/v2/auth/login?next={quote(asked)}"
        form = browser.get(login)
        assert form.status_code == 200
        assert form.url.path.startswith(f"{office.path}/auth/login")
        assert form.url.params["next"].endswith(asked)
        if office.kind == "fab":  # the simple one's form is a script
            (token,) = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', form.text)
            there = browser.post(form.url, data={"csrf_token": token, "username": "viewer", "password": WORDS})
            assert (there.status_code, there.url.path) == (200, asked)


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("reference", {"action": "accept", "days": str(broken_camera.LAST), "reason": "a new lens"}),
        ("reference", {"action": "mute", "name": "image.Sharpness.laplacian", "reason": "a new lens"}),
        ("forget", {"images": "0" * 64, "apply": False}),
    ],
    ids=["accept", "mute", "forget"],
)
def test_only_who_may_trigger_its_dag_may_accept_mute_or_forget(office, kind, form):
    dag_id = f"{broken_camera.NAME}_{kind}"
    for who in office.people:
        body = {"dag_run_id": f"{form.get('action', 'forget')}_{who}", "logical_date": None, "conf": form}
        answer = office.client(who).post(f"{office.path}/api/v2/dags/{dag_id}/dagRuns", json=body)
        assert answer.status_code == (200 if who in MAY_ACT else 403), (who, answer.text)
        if answer.is_success:
            assert answer.json()["triggering_user_name"] == who
    assert office.client(None).post(f"{office.path}/api/v2/dags/{dag_id}/dagRuns", json=body).status_code == 401
