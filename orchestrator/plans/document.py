"""YAML as plain data that remembers on which line each key stands.

Three things differ from PyYAML's own loaders, each because it has cost somebody a night:
a key that stands twice is an error instead of the last one winning; `1e-3` is a number (YAML 1.1
reads text), while `no`, `on`, `1:30` and dates stay text; no tag can make a Python object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import yaml

Keys = tuple[str | int, ...]
"""The way to a value: keys of mappings and positions in lists."""

LARGEST_NODES = 100_000
"""Aliases can make a small file enormous; no plan has this many values."""

DEEPEST = 50
"""The C parser composes by recursion and dies, process and all, some thousands of levels down."""


@dataclass(frozen=True)
class Place:
    """Where a key, or an item of a list, begins; counted from 1."""

    line: int
    column: int


class YamlError(Exception):
    """The text is not what we read as YAML. `what` is for a person; `place` may be unknown."""

    def __init__(
        self, what: str, place: Place | None, keys: Keys = (), wanted: str | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.place = place
        self.keys = keys
        self.wanted = wanted


@dataclass(frozen=True)
class Document:
    data: Any
    places: Mapping[Keys, Place]

    def place(self, keys: Keys) -> Place | None:
        """Where `keys` stands, or the nearest thing around it that stands in the text."""
        while keys not in self.places and keys:
            keys = keys[:-1]
        return self.places.get(keys)


class _Mark(Protocol):
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


# The C parser is five times faster; a source build of PyYAML may lack it.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """Knows YAML 1.2's core scalars only."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # as PyYAML declares it


_PREFIX = "tag:yaml.org,2002:"
_SCALARS = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    ("merge", r"<<", ["<"]),
)
for _name, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(_PREFIX + _name, re.compile(f"^(?:{_pattern})$"), _first)


def read_yaml(text: str) -> Document:
    """The data of `text` and the place of every key. YamlError for what is not plain YAML."""
    try:
        _measure(text)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        hint = "`key: value` lines, moved in by spaces, never by tabs"
        if "flow" in what:  # YAML's word for what stands in { } and [ ]
            hint = "the bracket closed; inside { } and [ ], quotes around text with { } [ ] , or :"
        raise YamlError(
            f"this is not YAML: {what}", _place(mark) if mark else None, wanted=hint
        ) from None
    except yaml.YAMLError as error:
        what = str(error).splitlines()[0]
        raise YamlError(f"this is not YAML: {what}", None) from None
    reader = _Reader()
    data = None if node is None else reader.read(node, ())
    return Document(data, reader.places)


def read_value(text: str) -> Any:
    """One value as a plan would read it: `0.05` is a number, `[1, 2]` a list."""
    return read_yaml(text).data


def _measure(text: str) -> None:
    """Refuse what is nested too deeply."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                mark = event.start_mark
                raise YamlError("this is nested too deeply", _place(mark) if mark else None)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Reader:
    def __init__(self) -> None:
        self.places: dict[Keys, Place] = {}
        self._inside: list[yaml.Node] = []
        self._nodes = 0

    def read(self, node: yaml.Node, keys: Keys) -> Any:
        self._nodes += 1
        if self._nodes > LARGEST_NODES:
            raise YamlError("too many values", _place(node.start_mark), keys)
        if any(node is outer for outer in self._inside):
            raise YamlError("this alias stands inside itself", _place(node.start_mark), keys)
        if len(self._inside) > DEEPEST:
            raise YamlError("this is nested too deeply", _place(node.start_mark), keys[:3])
        self.places.setdefault(keys, _place(node.start_mark))
        self._inside.append(node)
        try:
            if isinstance(node, yaml.ScalarNode):
                return _scalar(node, keys)
            if isinstance(node, yaml.SequenceNode):
                _allow(node, keys, "seq")
                return [self.read(item, (*keys, number)) for number, item in enumerate(node.value)]
            assert isinstance(node, yaml.MappingNode)
            _allow(node, keys, "map")
            return self._mapping(node, keys)
        finally:
            self._inside.pop()

    def _mapping(self, node: yaml.MappingNode, keys: Keys) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        # What is merged comes first: keys written here replace it, and their places too.
        for key_node, value_node in node.value:
            if key_node.tag == _PREFIX + "merge":
                merged |= self._merge(value_node, keys)
        for key_node, value_node in node.value:
            if key_node.tag == _PREFIX + "merge":
                continue
            place = _place(key_node.start_mark)
            key = _key(key_node, keys)
            if key in found:
                first = self.places[(*keys, key)].line
                raise YamlError(
                    f"the key {key!r} stands twice",
                    place,
                    (*keys, key),
                    f"each key once; it also stands on line {first}",
                )
            self.places[(*keys, key)] = place
            found[key] = self.read(value_node, (*keys, key))
        return merged | found

    def _merge(self, node: yaml.Node, keys: Keys) -> dict[str, Any]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Any] = {}
        for source in reversed(sources):  # the first of a list wins
            if not isinstance(source, yaml.MappingNode):
                raise YamlError("<< takes a mapping", _place(source.start_mark), (*keys, "<<"))
            merged |= self.read(source, keys)
        return merged


def _key(node: yaml.Node, keys: Keys) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise YamlError("a key is a word", _place(node.start_mark), keys)
    return str(node.value)


def _scalar(node: yaml.ScalarNode, keys: Keys) -> Any:
    kind = node.tag.removeprefix(_PREFIX)
    text = node.value
    try:
        if kind == "str":
            return text
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind == "int":
            return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
        if kind == "float":
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        raise YamlError(f"{text!r} is no {kind}", _place(node.start_mark), keys) from None
    _allow(node, keys)
    return text


def _allow(node: yaml.Node, keys: Keys, *kinds: str) -> None:
    """Refuse tags: a plan holds numbers, text, lists and mappings, nothing that is made."""
    if node.tag not in {_PREFIX + kind for kind in kinds}:
        tag = node.tag.replace(_PREFIX, "!!")
        what = f"the tag {tag} means nothing in a plan"
        raise YamlError(what, _place(node.start_mark), keys, "numbers, text, lists and mappings")


def _place(mark: _Mark) -> Place:
    return Place(mark.line + 1, mark.column + 1)
