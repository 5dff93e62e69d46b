"""Names of files that somebody else left, and reading them without trusting them; days of such files are in images/test_fetch.py."""

from __future__ import annotations

import os
import socket

import pytest

from driftwatch.errors import OddEntry
from driftwatch.storage.foreign_files import from_key, lies_in, list_files, read_regular, to_key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        (b"plain name.jpg", "plain name.jpg"),
        (b"caf\xe9.jpg", r"caf\xe9.jpg"),
        ("café.jpg".encode(), "café.jpg"),
        (b"a\nb\x1b[31m", r"a\x0ab\x1b[31m"),
        (b"back\\slash", r"back\\slash"),
        (b"back\\x41", r"back\\x41"),
        ("\x85".encode(), r"\xc2\x85"),
    ],
)
def test_every_name_has_one_key_that_can_be_printed_and_leads_back_to_it(name, key):
    assert to_key(os.fsdecode(name)) == key
    assert key.isprintable()
    assert os.fsencode(from_key(key)) == name


def test_a_folder_is_listed_with_what_is_no_file_in_it(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").write_bytes(b"123")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("sub")
    assert sorted(list_files(str(tmp_path))) == [("link", 0), ("pipe", 0), ("sub/a", 3)]
    assert list(list_files(str(tmp_path / "none"))) == []


@pytest.fixture
def folder(tmp_path):
    """With a file, and everything that is none."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "a").write_bytes(b"123")
    (tmp_path / "secret").write_bytes(b"456")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket"))
    for name, target in {"beside": "a", "out": "../secret", "loop": "loop", "nothing": "gone"}.items():
        (folder / name).symlink_to(target)
    return folder


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pipe", "is a pipe"),
        ("socket", "is a socket"),
        ("sub", "is a folder"),
        ("out", "leads out of its folder"),
        ("nothing", "is a link to nothing"),
        ("loop", "is a link that leads to itself"),
        ("../secret", "leads out of its folder"),
    ],
)
def test_what_is_no_file_of_the_folder_is_not_read(folder, name, said):
    with pytest.raises(OddEntry, match=said) as found:
        read_regular(f"{folder}/{name}", str(folder), 100)
    assert found.value.kind == "not_a_file"


def test_a_file_and_a_link_to_one_beside_it_are_read_up_to_the_limit(folder):
    for name in ("a", "beside"):
        assert read_regular(f"{folder}/{name}", str(folder), 3) == b"123"
        with pytest.raises(OddEntry, match="has 3 bytes"):
            read_regular(f"{folder}/{name}", str(folder), 2)
    assert lies_in(f"{folder}/beside", str(folder))
    assert not lies_in(f"{folder}/out", str(folder))


def test_a_file_that_changes_while_it_is_read_is_not_taken(folder, monkeypatch):
    from driftwatch.storage import foreign_files

    read = foreign_files._read

    def reading(file, size):
        with open(f"{folder}/a", "ab") as other:
            other.write(b"4")
        return read(file, size)

    monkeypatch.setattr(foreign_files, "_read", reading)
    with pytest.raises(OddEntry, match="changed while it was read") as found:
        read_regular(f"{folder}/a", str(folder), 100)
    assert found.value.kind == "still_growing"
