"""A declared configuration file: YAML read so that every problem in it can be named by line and field. Pure.

YAML leaves traps in a pager's way, so this reads a smaller language. `no` and `12:30` are text, and so is anything
else that YAML 1.1 would turn into a truth value, a number to base 60 or a date; a key that stands twice is refused
instead of the last one winning; tags and merge keys (`<<`) are refused; anchors and aliases work.
`${VAR}` is replaced after the YAML was read, so that a value can never become structure; `$${` is a plain `${`.

Several packages read one file, each its own sections, through `config.fields`; whoever calls them all ends with
`document.refuse_unread(problems)`, which names every key that nobody asked for.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from config import yaml_nodes

Path = tuple[str | int, ...]  # ("policies", "standard", "levels", 2, "after")

TEXT_CHARACTERS_MAX = 2_000_000
NODES_MAX = 100_000  # counted as they unfold: an alias counts each time it is used
DEPTH_MAX = 20
SHOWN_CHARACTERS_MAX = 80  # of a value or key quoted in a message
PROBLEMS_SHOWN_MAX = 100
LISTED_MAX = 20  # of what there is to choose from: every key of any mapping, and not every time zone

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?[0-9]{1,17}\.[0-9]{1,17}")
_VARIABLE = re.compile(r"\$(\$)?\{([^}]*)(\})?")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_MERGE_TAG = "tag:yaml.org,2002:merge"
# What YAML itself finds in untagged text; the values are typed by this module's own, narrower patterns.
_TAGS = {
    f"tag:yaml.org,2002:{kind}"
    for kind in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value")
}
_PLAIN_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    line: int
    where: str  # `policies.standard.levels[2].after`; empty: the file as a whole
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.where}: {self.message}" if self.where else f"line {self.line}: {self.message}"


class DeclarationError(Exception):
    """The file cannot be used. Holds every problem found, in the order of the file, not just the first."""

    def __init__(self, file_name: str, problems: Collection[Problem]) -> None:
        self.file_name = file_name
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        lines = [str(problem) for problem in self.problems[:PROBLEMS_SHOWN_MAX]]
        if unshown := len(self.problems) - len(lines):
            lines.append(f"and {unshown} more")
        super().__init__("\n  ".join([f"{file_name} has {count}:", *lines]))


class Document:
    """What a file says, as plain dicts, lists, str, int, float, bool and None, and the line of each value."""

    def __init__(self, file_name: str) -> None:
        self.file_name = file_name
        self.data: dict[str, Any] = {}
        self.lines: dict[Path, int] = {(): 1}
        self.written: dict[Path, str] = {}  # each scalar's text, before it became a number or a truth value
        self._asked: dict[Path, set[str]] = {(): set()}

    def line(self, path: Path) -> int:
        """Of the value's key, or of the nearest thing around it that is there."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]

    def get(self, path: Path) -> Any:
        """None if it is not there, or empty."""
        value: Any = self.data
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def ask(self, path: Path, key: str) -> Any:
        """The value of one key of the mapping at `path`, noting that this key is one that somebody knows."""
        self._asked.setdefault(path, set()).add(key)
        return self.get((*path, key))

    def refuse_unread(self, problems: Problems) -> None:
        """Name every key, of the mappings that were read at all, that nobody asked for. Call it after all readers."""
        for path, known in self._asked.items():
            mapping = self.get(path)
            if not isinstance(mapping, dict):
                continue
            for key in mapping:
                if key not in known:
                    problems.add((*path, key), f"unknown key; {suggestion(key, known)}")


class Problems:
    """Collects what is wrong with one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._found: dict[Problem, None] = {}  # a set that keeps its order: the same problem is told once
        self._touched: set[Path] = set()

    def touch(self, path: Path) -> bool:
        """Is there a problem at this place or anywhere inside it?"""
        return path in self._touched

    def add(self, path: Path, message: str) -> None:
        self.add_at_line(self._document.line(path), path, message)

    def add_at_line(self, line: int, path: Path, message: str) -> None:
        self._found[Problem(line, path_text(path), message)] = None
        self._touched.update(path[:length] for length in range(len(path) + 1))

    def raise_if_any(self) -> None:
        """Raises DeclarationError with all of them."""
        if self._found:
            raise DeclarationError(self._document.file_name, self._found)


def path_text(path: Path) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{shown(step)}" for step in path)
    return text.removeprefix(".")


def shown(value: str) -> str:
    return value if len(value) <= SHOWN_CHARACTERS_MAX else f"{value[:SHOWN_CHARACTERS_MAX]}…"


def suggestion(name: str, known: Collection[str]) -> str:
    """The known name that `name` was probably meant to be, or else what there is to choose from."""
    among = sorted(known)
    # A place is often written without what stands before its slash: "New York" for America/New_York.
    last_word = name.replace(" ", "_").casefold()
    nearest = difflib.get_close_matches(name, among, n=1) or [
        each for each in among if each.rpartition("/")[2].casefold() == last_word
    ]
    if nearest:
        return f'did you mean "{nearest[0]}"?'
    listed = ", ".join(among if len(among) <= LISTED_MAX else (*among[:LISTED_MAX], "…"))
    return f"known here: {listed}" if known else "nothing is known here"


def read_text(text: str, *, env: Mapping[str, str], file_name: str) -> Document:
    """Read a file's text; `env` gives the values of `${VAR}`. Raises DeclarationError with all problems.

    Only the form is judged here. What the keys mean is for the readers of the sections.
    """
    document = Document(file_name)
    problems = Problems(document)
    if len(text) > TEXT_CHARACTERS_MAX:
        problems.add((), f"the file is longer than {TEXT_CHARACTERS_MAX} characters")
        problems.raise_if_any()
    try:
        root = yaml_nodes.compose(text, depth_max=DEPTH_MAX, slowly=_Composer)
    except yaml.MarkedYAMLError as refused:
        line = refused.problem_mark.line + 1 if refused.problem_mark else 1
        said = ", ".join(part for part in (refused.context, refused.problem) if part)
        problems.add_at_line(line, (), f"not YAML: {said}")
    except yaml.YAMLError as refused:
        problems.add((), f"not YAML: {shown(str(refused).splitlines()[0])}")
    else:
        if isinstance(root, yaml.MappingNode):
            document.data = _Builder(document, problems, env).value(root, (), root.start_mark.line + 1)
        else:
            problems.add((), "the file holds no keys; it starts with one such as responders:")
    problems.raise_if_any()
    return document


class _Composer(yaml.SafeLoader):
    """Only composes; refuses nesting that would run Python out of stack."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.depth > DEPTH_MAX:
            mark = parent.start_mark if parent else None
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {DEPTH_MAX} levels", problem_mark=mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Builder:
    """Turns YAML's nodes into the document's plain data, noting lines and problems."""

    def __init__(self, document: Document, problems: Problems, env: Mapping[str, str]) -> None:
        self._document = document
        self._problems = problems
        self._env = env
        self._nodes = 0

    def value(self, node: yaml.Node, path: Path, line: int) -> Any:
        self._document.lines[path] = line
        self._nodes += 1
        if self._nodes > NODES_MAX or len(path) > DEPTH_MAX:
            # Aliases can unfold without end; nothing after this can be told for certain.
            self._problems.add(
                path, f"more than {NODES_MAX} values or {DEPTH_MAX} levels, counting each use of an alias"
            )
            self._problems.raise_if_any()
        if node.tag not in _TAGS:
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            self._problems.add(path, f"tags such as {shown(tag)} are not understood")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, i), item.start_mark.line + 1) for i, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._problems.add_at_line(line, path, "a key must be a single word or text")
                continue
            key = str(key_node.value)
            if key in mapping:
                first_line = self._document.lines[(*path, key)]
                self._problems.add_at_line(line, (*path, key), f"this key is already on line {first_line}")
            elif key_node.tag == _MERGE_TAG:
                self._problems.add_at_line(line, path, "merge keys (<<) are not understood; alias whole values instead")
            elif _UNSTORABLE.search(key):
                self._problems.add_at_line(line, path, "a key holds a control character")
            else:
                mapping[key] = self.value(value_node, (*path, key), line)
        return mapping

    def _scalar(self, node: yaml.Node, path: Path) -> str | int | float | bool | None:
        text = _VARIABLE.sub(lambda match: self._variable(match, path), str(node.value))
        if _UNSTORABLE.search(text):
            self._problems.add(path, "the text holds a control character")
        self._document.written[path] = text
        is_plain = isinstance(node, yaml.ScalarNode) and not node.style
        if not is_plain:
            return text
        if text in _PLAIN_WORDS:
            return _PLAIN_WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        return float(text) if _FLOAT.fullmatch(text) else text

    def _variable(self, match: re.Match[str], path: Path) -> str:
        is_escaped, name, closed = match.groups()
        if is_escaped:
            return match[0][1:]
        if not closed or not _VARIABLE_NAME.fullmatch(name):
            self._problems.add(
                path, "after ${ stands the name of an environment variable and }; write $${ for a plain ${"
            )
        elif name not in self._env:
            self._problems.add(path, f"the environment variable {name} is not set")
        else:
            return self._env[name]
        return ""
