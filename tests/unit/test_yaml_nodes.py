"""libyaml reads quickly what PyYAML reads; the nodes are the same, and so is what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import runbook_links
from config import declaration, yaml_nodes
from config.settings import SHIPPED_RULES
from runbook_links import front_matter
from tests.world import team

LIBRARY = Path(runbook_links.__file__).parent / "library"
FRONT_MATTERS = [path.read_text().split("---\n")[1] for path in sorted(LIBRARY.glob("*.md"))]
TEXTS = [
    team(),
    *(path.read_text() for path in sorted(SHIPPED_RULES.glob("*.yaml"))),
    *FRONT_MATTERS,
    "a: 'one''s'\nb: \"\\u00e9\\n\"\nc: |-\n  kept\n   as it is\nd: >\n  folded\n  here\ne: 010\nf: 12:30\ng: on\nh: ~\ni:\n",
    "a: &x {b: [1, 2]}\nc: *x\n? d\n: !!str 1\n",
    "# a remark alone\n",
    "é: ü — 😀\r\nb:  [ a , b ]\r\n",
]


class _NeverAsked(yaml.SafeLoader):
    def get_single_node(self) -> Any:
        raise AssertionError("libyaml could not read it")


def as_told(node: yaml.Node | None) -> Any:
    if node is None:
        return None
    told: Any = node.value
    if isinstance(node, yaml.MappingNode):
        told = [(as_told(key), as_told(value)) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        told = [as_told(item) for item in node.value]
    style = node.style or None if isinstance(node, yaml.ScalarNode) else None
    return node.tag, style, node.start_mark.line, told


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_read_quickly_is_what_pyyaml_reads(text: str) -> None:
    quickly = yaml_nodes.compose(text, depth_max=20, slowly=_NeverAsked)
    assert as_told(quickly) == as_told(yaml.compose(text, Loader=yaml.SafeLoader))


@pytest.mark.parametrize("text", ["a: [", "a: *b", "a: \x00", "a: 1\n---\nb: 2", 'a: "\\U00110000"', "a: \ud800"])
def test_a_refusal_is_pyyamls_own(text: str) -> None:
    with pytest.raises((yaml.YAMLError, ValueError)) as slowly:
        yaml.compose(text, Loader=yaml.SafeLoader)
    with pytest.raises(type(slowly.value)) as refused:
        yaml_nodes.compose(text, depth_max=20, slowly=yaml.SafeLoader)
    assert str(refused.value) == str(slowly.value)


def test_nesting_without_end_is_refused_and_ends_nothing() -> None:
    deep = "a: " + "[" * 100_000 + "]" * 100_000
    with pytest.raises(declaration.DeclarationError, match="nested deeper than 20 levels"):
        declaration.read_text(deep, env={}, file_name="tocsin.yaml")
    problems = front_matter.read(f"---\n{deep[:20_000]}\n---\n").problems
    assert [problem.message for problem in problems] == ["the front matter nests deeper than 6 levels"]
