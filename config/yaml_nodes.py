"""YAML to nodes, quickly: libyaml reads some eight times as fast as PyYAML does itself. Pure.

PyYAML has the last word all the same. Composing by libyaml ends the process, for want of stack, where text nests ten
thousand deep; so the depth is measured first, which needs no stack. And its refusals are worded otherwise; so what it
refuses is read again by PyYAML, which refuses it in its own words or finds nothing wrong.
"""

from __future__ import annotations

import yaml

_OPENERS = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_CLOSERS = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
QUICK: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # PyYAML can be built without libyaml


def compose(text: str | bytes, *, depth_max: int, slowly: type[yaml.SafeLoader]) -> yaml.Node | None:
    """The one document's root; None where there is nothing. What nests deeper than `depth_max`, or what libyaml
    refuses, is left to `slowly`, which raises what it raises."""
    try:
        if _nests_within(depth_max, text):
            return yaml.compose(text, Loader=QUICK)
    except (yaml.YAMLError, ValueError):
        pass  # `slowly` looks at it too, and says what is wrong
    loader = slowly(text)
    root: yaml.Node | None = loader.get_single_node()
    return root


def _nests_within(depth_max: int, text: str | bytes) -> bool:
    depth = 0
    for event in yaml.parse(text, Loader=QUICK):
        depth += isinstance(event, _OPENERS) - isinstance(event, _CLOSERS)
        if depth > depth_max:
            return False
    return True
