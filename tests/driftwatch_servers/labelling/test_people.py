"""The file of people who may label."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from driftwatch_servers.labelling.people import read_people
from driftwatch_servers.private_files import write_private

TOKENS = {"ana": "token-of-ana-1", "ben": "token-of-ben-2"}


@pytest.mark.parametrize(
    "content", ["{}", "[]", '{"ana": "short"}', '{"ana": "the-same-token", "ben": "the-same-token"}', "no json"]
)
def test_a_bad_file_of_people_is_refused_with_its_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "people.json"
    write_private(path, content)
    with pytest.raises(ValueError, match=r"people\.json"):
        read_people(path)


def test_a_file_of_people_that_others_may_read_is_refused_with_the_command_that_mends_it(tmp_path: Path) -> None:
    path = tmp_path / "people.json"
    path.write_text(json.dumps(TOKENS))
    path.chmod(0o644)
    with pytest.raises(ValueError, match=r"others may read it \(mode 644\); run chmod 600 .*people\.json"):
        read_people(path)
    write_private(path, json.dumps(TOKENS))
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_people(path) == TOKENS
