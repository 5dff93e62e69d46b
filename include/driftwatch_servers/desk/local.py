"""`make desk MONITOR=<file>`: a desk on this machine for one monitor, with all that Airflow needs to reach it."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from driftwatch.config import MonitorConfig
from driftwatch.config.labels import DESK
from driftwatch_servers.desk.app import IMAGES, Settings
from driftwatch_servers.desk.database import Database
from driftwatch_servers.desk.people import Keys
from driftwatch_servers.desk.tables import PERSON
from driftwatch_servers.private_files import check_private, write_private

_YOU = "you"


@dataclass(frozen=True)
class LocalDesk:
    """A monitor's desk, whose files are in `home`. Its secrets are made once, and kept in airflow.env with the connections."""

    monitor: MonitorConfig
    home: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> str:
        return f"sqlite:///{self.home / 'desk.db'}"

    @property
    def connections(self) -> Path:
        """The file with the Airflow connections, as environment variables."""
        return self.home / "airflow.env"

    def settings(self) -> Settings:
        """How the server runs. Raises ValueError where the monitor's labels do not come from a desk."""
        labels = self.monitor.labels
        if labels.people != DESK:
            raise ValueError(
                f"labels.backend of {self.monitor.name} is {labels.backend}, so this desk would get no work: write backend: desk in its section "
                "labels"
            )
        self.home.mkdir(parents=True, exist_ok=True)
        token, secret = self._secrets()
        write_private(self.connections, self._environment(token, secret))
        return Settings(self.database, token, self._images(), secret)

    def welcome(self) -> str:
        """What to do next, with a new token for whoever started this."""
        people = Keys(Database(self.database), PERSON)
        if people.may_enter(_YOU):
            people.revoke(_YOU)
        token, command = people.add(_YOU, 30), f".venv/bin/python -m driftwatch_servers.desk --database {self.database}"
        return f"""\
Labelling page: {self.url}/
Token of {_YOU}:   {token}
Airflow:        give it the connections of {self.connections} (`set -a; . {self.connections}`, or the same under Admin > Connections), then
                run {self.monitor.name}_monitoring: its task create_annotation_pool brings the day's images here
More people:    {command} person add NAME
Stop:           Ctrl-C"""

    def _images(self) -> Path | None:
        """The folder of a file:// storage, which the desk shows; another one signs its links itself."""
        uri = urlsplit(self.monitor.storage.uri)
        return Path(unquote(uri.path)) if uri.scheme == "file" else None

    def _secrets(self) -> tuple[str, str]:
        """The API's token and the secret of image links: those of the last time, or new ones."""
        if not self.connections.exists():
            return secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        check_private(self.connections, "the file")
        kept = re.findall(r"\"password\": \"([\w-]+)\"", self.connections.read_text(encoding="utf-8"))
        if len(kept) != 2:
            raise ValueError(
                f"{self.connections} does not hold two connections with passwords: remove it, it is made anew"
            )
        return kept[0], kept[1]

    def _environment(self, token: str, secret: str) -> str:
        labels = self.monitor.labels
        found = {
            labels.connection_id: {"conn_type": "driftwatch_desk", "host": self.url, "password": token},
            labels.image_links: {"conn_type": "http", "host": f"{self.url}{IMAGES}", "password": secret},
        }
        return "".join(f"AIRFLOW_CONN_{name.upper()}='{json.dumps(fields)}'\n" for name, fields in found.items())
