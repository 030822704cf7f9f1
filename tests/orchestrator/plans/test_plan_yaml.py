from __future__ import annotations

from typing import Any

import pytest

from orchestrator.plans.document import Place, YamlError, read_value, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1.", 1.0),
        (".5", 0.5),
        ("-3", -3),
        ("0x1f", 31),
        ("010", 10),
        ("true", True),
        ("no", "no"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("2026-01-31", "2026-01-31"),
        ("-", "-"),
        ("'5'", "5"),
        ("~", None),
        ("", None),
        ("[1, 2h]", [1, "2h"]),
    ],
)
def test_a_scalar_is_what_it_looks_like(text: str, value: Any) -> None:
    got = read_value(text) if text != "-" else read_yaml("a: -x").data["a"][:1]
    assert got == value
    assert type(got) is type(value)


def test_every_key_and_item_has_its_line_and_column() -> None:
    document = read_yaml("a: {b: 1}\nc:\n  - d\n  - e: 2\n")
    assert document.places[("a", "b")] == Place(1, 5)
    assert document.places[("c", 0)] == Place(3, 5)
    assert document.places[("c", 1, "e")] == Place(4, 5)


def test_what_is_not_in_the_text_has_the_place_of_what_is_around_it() -> None:
    document = read_yaml("a: 1\nb: {c: 2}\n")
    assert document.place(("b", "missing")) == Place(2, 1)


def test_a_merged_mapping_gives_way_to_its_own_keys() -> None:
    document = read_yaml("x: &x {q: 1, z: 3}\ny:\n  q: 2\n  <<: *x\n")
    assert document.data["y"] == {"q": 2, "z": 3}
    assert document.places[("y", "q")] == Place(3, 3)
    assert document.places[("y", "z")] == Place(1, 14)


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "the key 'a' stands twice", 3),
        ("a: !!python/object/apply:os.system [ls]", "the tag !!python/object/apply:os.system", 1),
        ("&a [*a]", "this alias stands inside itself", 1),
        ("a: *b", "this is not YAML: found undefined alias", 1),
        ("a: 1\n---\nb: 2", "this is not YAML: expected a single document", 2),
        ("? [1, 2]\n: 3", "a key is a word", 1),
        ("[" * 100_000, "this is nested too deeply", 1),
    ],
)
def test_what_a_plan_must_not_have_is_refused_with_its_line(
    text: str, what: str, line: int
) -> None:
    with pytest.raises(YamlError) as caught:
        read_yaml(text)
    assert caught.value.what.startswith(what)
    assert caught.value.place is not None
    assert caught.value.place.line == line


def test_aliases_cannot_make_a_small_file_enormous() -> None:
    lines = ["a0: &a0 1"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 40)]
    with pytest.raises(YamlError, match="too many values"):
        read_yaml("\n".join(lines))
