"""The YAML between the `---` lines, read without YAML's surprises. Pure.

PyYAML would turn `version: 1.10` into 1.1, `22:00` into 1320, `id: 0123` into 83, `owner: on` into True and a date
into an object. Here such a value stays the text that its author typed, and is reported with the quoting that makes
it mean that. Aliases are refused, because a few lines of them expand without bound.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from config import yaml_nodes
from runbook_links import lines

FRONT_MATTER_CHARACTERS_MAX = 20_000
DEPTH_MAX = 6

_TAG = "tag:yaml.org,2002:"
_DECIMAL = re.compile(r"^-?(?:0|[1-9][0-9]{0,17})$")
_NUMBER_KEYS = {"ship_factor"}  # carried through as written; a fraction is what it is for
_OPENERS = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_CLOSERS = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


@dataclass(frozen=True, slots=True)
class Problem:
    """What reading could not say in the runbook's own fields; the linter reports it under its rule."""

    rule: str
    message: str
    line: int
    span: str = ""


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """`values` hold str, int, bool, None, lists and mappings. Keys of `line_of` and `plain` are paths: `recert.period`."""

    present: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)
    line_of: Mapping[str, int] = field(default_factory=dict)
    plain: frozenset[str] = frozenset()  # written without quotes
    misread: frozenset[str] = frozenset()  # of those, the ones that YAML would have changed
    problems: tuple[Problem, ...] = ()
    body: str = ""
    body_line: int = 1


class _RefusedError(Exception):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def read(text: str) -> FrontMatter:
    """Part the front matter from the body and read it. Never raises."""
    found = lines.split(text)
    if found[0].rstrip() != "---":
        missing = Problem("RB001", "there is no front matter: begin the file with a block between two `---` lines", 1)
        return FrontMatter(problems=(missing,), body=text)
    end = next((i for i, line in enumerate(found[1:], start=1) if line.rstrip() == "---"), 0)
    if not end:
        unclosed = Problem("RB001", "the front matter is not closed: end it with a line `---`", 1)
        return FrontMatter(problems=(unclosed,), body="\n".join(found[1:]), body_line=2)
    body, body_line = "\n".join(found[end + 1 :]), end + 2
    try:
        root = _compose("\n".join(found[1:end]))
    except _RefusedError as refused:
        problem = Problem("RB001", refused.message, refused.line)
        return FrontMatter(problems=(problem,), body=body, body_line=body_line)
    reader = _Reader()
    values = reader.mapping(root, "")
    return FrontMatter(
        present=True,
        values=values,
        line_of=reader.line_of,
        plain=frozenset(reader.plain),
        misread=frozenset(reader.misread),
        problems=tuple(reader.problems),
        body=body,
        body_line=body_line,
    )


def _compose(text: str) -> yaml.MappingNode:
    if len(text) > FRONT_MATTER_CHARACTERS_MAX:
        raise _RefusedError(f"the front matter is longer than {FRONT_MATTER_CHARACTERS_MAX} characters", 1)
    try:
        try:
            root = _root(text, yaml_nodes.QUICK)
        except (yaml.YAMLError, ValueError):
            root = _root(text, yaml.SafeLoader)  # which says in its own words what is wrong
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = error.problem or error.context or "it is not YAML"
        raise _RefusedError(f"the front matter cannot be read: {said}", _line(mark)) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # an escape beyond Unicode is no YAMLError to PyYAML
        raise _RefusedError(f"the front matter cannot be read: {error}", 1) from error
    if not isinstance(root, yaml.MappingNode):
        raise _RefusedError("the front matter is not a mapping: write one `key: value` a line", 2)
    return root


def _root(text: str, loader: type[yaml.SafeLoader]) -> yaml.Node | None:
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        depth += isinstance(event, _OPENERS) - isinstance(event, _CLOSERS)
        line = _line(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            raise _RefusedError("aliases (`*name`) are not read here: write the value out", line)
        if depth > DEPTH_MAX:
            raise _RefusedError(f"the front matter nests deeper than {DEPTH_MAX} levels", line)
    return yaml.compose(text, Loader=loader)


def _line(mark: Any) -> int:
    """The line in the file: marks count from 0, and the block begins below its `---`."""
    return int(mark.line) + 2 if mark is not None else 1


class _Reader:
    """Walks the nodes once, keeping each value, its line, and what is wrong with how it is written."""

    def __init__(self) -> None:
        self.line_of: dict[str, int] = {}
        self.plain: set[str] = set()
        self.misread: set[str] = set()
        self.problems: list[Problem] = []

    def mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = _line(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(Problem("RB001", "a key of the front matter must be a word", line))
                continue
            key = str(key_node.value)
            here = f"{path}.{key}" if path else key
            if key in values:
                self.problems.append(
                    Problem("RB001", f"the key `{here}` stands twice: YAML would silently keep the last", line, key)
                )
                continue  # the first is kept, so that a line added at the end cannot replace a reviewed one
            self.line_of[here] = line
            values[key] = self._value(value_node, here)
        return values

    def _value(self, node: yaml.Node, path: str) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(each, f"{path}[{i}]") for i, each in enumerate(node.value)]
        return self._scalar(node, path) if isinstance(node, yaml.ScalarNode) else None

    def _item(self, node: yaml.Node, path: str) -> Any:
        self.line_of[path] = _line(node.start_mark)
        return self._value(node, path)

    def _scalar(self, node: yaml.ScalarNode, path: str) -> Any:
        text = str(node.value)
        if node.style:
            return text
        self.plain.add(path)
        kind = node.tag.removeprefix(_TAG)
        if kind == "null":
            return None
        if kind == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if kind == "int" and _DECIMAL.match(text):
            return int(text)
        if kind in ("str", "merge", "value") or path in _NUMBER_KEYS:
            return text
        key = path.rpartition(".")[2]
        self.misread.add(path.partition("[")[0])
        self.problems.append(
            Problem(
                rule="RB003",
                message=f'`{key}: {text}` is read by YAML as {_kind(kind, text)}: write `{key}: "{text}"`',
                line=_line(node.start_mark),
                span=text,
            )
        )
        return text


def _kind(kind: str, text: str) -> str:
    if kind == "int" and ":" in text:
        return "a number in base 60"
    if kind == "int":
        return "a number that is not decimal"
    return {"float": "a fraction", "bool": "true or false", "timestamp": "a date object"}.get(kind, f"`{kind}`")
