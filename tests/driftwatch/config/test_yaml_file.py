"""How a monitor file's text is read: what is a boolean, a number or text, what is refused, and on which line it stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from driftwatch.config.yaml_file import MAX_BYTES, UnreadableFile, YamlFile


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def written(text: str | bytes) -> YamlFile:
        path = tmp_path / "file.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return YamlFile(path)

    return written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(word, word) for word in ("yes", "no", "on", "off", "Yes", "NO", "y", "n", "Off")],
        *[(word, word) for word in ("010", "1_000", "1:30", "0x1f", "0o17", "+1", "1e", "1-2", "2026-01-01", "=")],
        *[(word, word) for word in ("2026-02-30", "2026-01-01T00:00:00Z", "12:30:45", "0777")],
        *[(word, True) for word in ("true", "True", "TRUE")],
        *[(word, False) for word in ("false", "False", "FALSE")],
        *[(word, None) for word in ("null", "~", "")],
        ("0", 0),
        ("-12", -12),
        ("1.50", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("2.5e-3", 0.0025),
        (".inf", float("inf")),
        ("'true'", "true"),
        ('"0"', "0"),
    ],
)
def test_only_true_and_false_are_booleans_and_only_plain_decimal_numbers_are_numbers(read, text, value):
    found = read(f"a: {text}").value["a"]
    assert (found, type(found)) == (value, type(value))


def test_a_key_like_on_is_text(read):
    assert read("on: [a]\nyes: 1\nno: 2").value == {"on": ["a"], "yes": 1, "no": 2}


@pytest.mark.parametrize(
    ("text", "lines"),
    [("a: 1\nb: 2\na: 3\n", (3, 1)), ("x:\n  b: 1\n  'b': 1\n", (3, 2)), ("x: {c: 1, c: 1}", (1, 1))],
)
def test_a_key_that_stands_twice_is_refused_with_both_lines(read, text, lines):
    with pytest.raises(UnreadableFile, match=rf"(?s)stands there twice, first on line {lines[1]}.*on line {lines[0]}"):
        read(text)


def test_merged_keys_are_no_duplicates_however_often_the_anchor_is_used(read):
    text = "x-a: &a {p: 1, q: 2}\nb: &b\n  <<: *a\n  p: 3\nc:\n  <<: *b\n  q: 4\nd:\n  <<: [*a, {r: 5}]\ne: *b\n"
    found = read(text).value
    assert found["b"] == found["e"] == {"p": 3, "q": 2}
    assert found["c"] == {"p": 3, "q": 4}
    assert found["d"] == {"p": 1, "q": 2, "r": 5}


def test_the_line_of_a_part_is_known_through_lists_and_merged_keys(read):
    file = read("x-a: &a\n  p: 1\nb:\n  <<: *a\n  c:\n    - d\n    - e\n")
    assert file.line(["b", "c", 1]) == 7
    assert file.line(["b", "p"]) == 2
    assert file.line(["b", "c", "int"]) == 5  # a union's branch is no part of the file
    assert file.line([]) is None


BILLION_LAUGHS = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(12)
)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: !!int abc", "'abc' cannot be read as int"),
        ("a: !!bool maybe", "'maybe' cannot be read as bool"),
        ("a: !!float x", "'x' cannot be read as float"),
        ("a: !!timestamp x", "timestamp"),
        ("a: !!python/object/apply:os.system [ls]", "python/object"),
        ("a: !!set {b, c}", "set"),
        ("a: !!map b", "expected a mapping"),
        ("a: " + "9" * 5000, "cannot be read as int"),
        ("[" * 20_000, "more than 50 levels"),
        ("- " * 20_000, "more than 50 levels"),
        (BILLION_LAUGHS, "aliases counted each time"),
        (BILLION_LAUGHS.replace(": &", ": &", 1) + "m:\n" + "  <<: {k: *k}\n", "aliases counted each time"),
        ("a: &a [*a]", "cannot hold itself"),
        ("a: &a\n  <<: *a\n", "cannot hold itself"),
        ("a: *b", "undefined alias"),
        ("a: 1\n---\nb: 2", "single document"),
        ("1: a", "a key must be text"),
        ("[a]: b", "a key must be text"),
        ("a: 1\n b: 2", "line 2"),
        ('a: "\\0"', "control character"),
        ('a: "\\x1b[31m"', "control character"),
        (b"a: \x00b", "(?i)not allowed|special character"),
        (b"a: \xff\xfe", "not UTF-8 text"),
        ("a: b".encode("utf-16"), "not UTF-8 text"),
        (b"#" * (MAX_BYTES + 1), "more than 262,144 bytes"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(read, text, why):
    with pytest.raises(UnreadableFile, match=why) as caught:
        read(text)
    assert len(str(caught.value)) < 700


def test_a_byte_order_mark_is_no_part_of_the_first_key(read):
    assert read(b"\xef\xbb\xbfname: a").value == {"name": "a"}


def test_without_libyaml_a_file_is_read_alike(tmp_path, root):
    program = """
import sys, yaml
yaml.__with_libyaml__ = False
from pathlib import Path
from driftwatch.config.yaml_file import YamlFile, UnreadableFile
print(YamlFile(Path(sys.argv[1])).value)
try:
    YamlFile(Path(sys.argv[2]))
except UnreadableFile as error:
    print(error)
"""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("x-a: &a {on: no}\nb: {<<: *a, c: [010, true]}")
    bad.write_text("a: &a [*a]")
    done = subprocess.run(
        [sys.executable, "-c", program, good, bad], capture_output=True, text=True, check=True, cwd=root / "include"
    )
    assert done.stdout.splitlines()[0] == str(YamlFile(good).value)
    assert "cannot hold itself" in done.stdout
