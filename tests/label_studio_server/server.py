"""Runs in Label Studio's own virtual environment: `server.py prepare` makes an empty database with an owner and some people,
`server.py serve PORT` serves it, `server.py answer PROJECT CHOICE PEOPLE` answers all of a project. Its settings come from the environment, as `running.environment` makes them.

It does what `label-studio start` does, without asking at each start whether the database is migrated, which takes seconds.
"""

from __future__ import annotations

import hashlib
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

OWNER = "owner"
PEOPLE = (OWNER, "ann", "bob", "cy", "late", "haste")


def token_of(name: str) -> str:
    """The legacy token of a person."""
    return hashlib.sha1(name.encode()).hexdigest()


def prepare() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from organizations.models import Organization
    from rest_framework.authtoken.models import Token
    from users.models import User

    organization = None
    for name in PEOPLE:
        user = User.objects.create_user(email=f"{name}@example.org", password="Example-Only-1")
        if organization is None:
            organization = Organization.create_organization(
                created_by=user, title="Label Studio", legacy_api_tokens_enabled=True
            )
        else:
            organization.add_user(user)
        user.active_organization = organization
        user.save(update_fields=["active_organization"])
        Token.objects.filter(user=user).delete()
        Token.objects.create(user=user, key=token_of(name))


def answer(project: str, choice: str, people: str) -> None:
    from tasks.models import Annotation, Task

    ids = [int(person) for person in people.split(",")]
    result = [{"from_name": "answer", "to_name": "image", "type": "choices", "value": {"choices": [choice]}}]
    for person in ids:
        Annotation.objects.bulk_create(
            Annotation(
                task=task,
                project_id=int(project),
                completed_by_id=person,
                updated_by_id=person,
                result=result,
                lead_time=4.0,
            )
            for task in Task.objects.filter(project_id=int(project))
        )
    Task.objects.filter(project_id=int(project)).update(is_labeled=True, total_annotations=len(ids))


def serve(port: int) -> None:
    from django.core.servers.basehttp import run
    from django.core.wsgi import get_wsgi_application
    from django.db.backends.signals import connection_created

    connection_created.connect(_without_waiting_for_the_disk, weak=False)
    run("127.0.0.1", port, get_wsgi_application(), threading=True)


def _without_waiting_for_the_disk(connection: Any, **_: Any) -> None:
    """The data of a test need not survive a power cut."""
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA synchronous=OFF")


def main() -> None:
    package = find_spec("label_studio")
    assert package is not None
    assert package.origin is not None
    sys.path.insert(0, str(Path(package.origin).parent))
    os.environ["DJANGO_SETTINGS_MODULE"] = "core.settings.label_studio"
    import django

    django.setup()
    if sys.argv[1] == "prepare":
        prepare()
    elif sys.argv[1] == "answer":
        answer(*sys.argv[2:])
    else:
        serve(int(sys.argv[2]))


if __name__ == "__main__":
    main()
