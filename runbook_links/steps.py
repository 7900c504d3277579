"""The steps of a runbook's procedure: Markdown lines -> Step. Pure.

A step is a `### Step 1: …` with bold field lines (`**Actor:** …`), checkboxes and a verification. A mixed step has
sub-blocks, one heading each, that carry the label. Story-style documents are read too: labels in sub-headings, and
`Actor` with its colon outside the bold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from runbook_links import lines
from runbook_links.front_matter import Problem
from runbook_links.lines import Line

OPERATIONAL = "OPERATIONAL"
CONSTITUTIONAL = "CONSTITUTIONAL"
MIXED = "MIXED"
STEPS_MAX = 200

_STEP = re.compile(
    r"^(?:[^\x00-\x7f]\S*\s+)?(?P<word>step\s+)?(?P<number>\d{1,4})(?P<mark>\s*[:.)]|\s+[-–—]|\s|$)\s*(?P<title>.*)$",
    re.IGNORECASE,
)
_CHECKBOX = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+\[[ xX]\]\s+(?P<text>.*)$")
_FIELD = re.compile(r"^\s*(?:[-*+]\s+)?\*\*(?P<name>[A-Za-z][A-Za-z ]{2,30}?)\s*:?\s*\*\*\s*:?\s*(?P<value>.*)$")
_EXPECTED = re.compile(r"^\s*(?:[-*+]\s+)?\**expected(?:\s+(?:outcome|result))?\s*:?\**\s*:\**\s*(?P<value>.*)$", re.I)
_COMMAND = re.compile(r"^\s*(?:[-*+]\s+)?\**command(?:\s+to\s+verify)?\s*:?\**\s*:\**\s*(?P<value>.*)$", re.I)
_CODE_SPAN = re.compile(r"^(`+)\s*(?P<code>.*?)\s*\1[.]?$")
_WORD = re.compile(r"\b(operational|constitutional|mixed)\b", re.IGNORECASE)
_LABEL_LINE = re.compile(r"^[^A-Za-z]*(?P<word>OPERATIONAL|CONSTITUTIONAL)(?:\*\*.*|[^A-Za-z]*)$")
_CIRCLE = re.compile("[\U0001f534\U0001f535]|ðŸ”[´µ]")  # the red and blue circles, whole or broken by a wrong encoding
_APPROVAL = re.compile(r"^`?(?P<action>[\w.-]+)`?\s*:\s*(?P<least>\d{1,3})\s+of\s+(?P<roles>\S.*)$", re.IGNORECASE)
_ASIDE = re.compile(r"\([^()]*\)")
_NONE = re.compile(r"^(?:(?:none|not (?:required|needed|applicable)|n/?a)\b|[-—]+$)", re.IGNORECASE)

_FIELDS = {
    "label": "label",
    "actor": "actor",
    "duration": "duration",
    "governance": "governance",
    "governance reference": "governance",
    "governance references": "governance",
    "governance refs": "governance",
    "approval": "approvals",
    "approvals": "approvals",
    "verification": "verification",
    "validation": "verification",
    "evidence": "evidence",
    "evidence to record": "evidence",
    "rollback": "rollback",
}


@dataclass(frozen=True, slots=True)
class Action:
    text: str
    label: str = ""  # OPERATIONAL or CONSTITUTIONAL; "" when neither the step nor its sub-block says
    line: int = 0


@dataclass(frozen=True, slots=True)
class Approval:
    """`least` distinct people holding these roles agree to `action`."""

    action: str
    roles: tuple[str, ...]
    least: int


@dataclass(frozen=True, slots=True)
class Block:
    """A labelled part of a mixed step."""

    label: str
    actions: tuple[Action, ...]
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Step:
    """`label` is OPERATIONAL, CONSTITUTIONAL, MIXED or "". `actions` holds those of the blocks too, in order."""

    number: int
    title: str
    label: str
    actor: str = ""
    duration: str = ""
    actions: tuple[Action, ...] = ()
    expected_outcome: str = ""
    verify_command: str = ""
    governance_refs: tuple[str, ...] = ()
    approvals: tuple[Approval, ...] = ()
    approvals_text: str = ""  # as written; "" when the step has no such line
    evidence: str = ""
    rollback: str = ""
    blocks: tuple[Block, ...] = ()
    text: str = ""  # the whole step as written
    line: int = 0
    last_line: int = 0

    @property
    def is_constitutional(self) -> bool:
        """Any part of it is: it needs governance, approvals and evidence."""
        return self.label in (CONSTITUTIONAL, MIXED)


def approvals(text: str) -> tuple[tuple[Approval, ...], bool]:
    """`resume-after-halt: 2 of keeper, governance; …` -> the approvals, and whether every part could be read."""
    found: list[Approval] = []
    for part in filter(None, (part.strip(" .") for part in _ASIDE.sub("", text).split(";"))):
        if _NONE.match(part):
            continue
        match = _APPROVAL.match(part)
        if match is None:
            return tuple(found), False
        roles = tuple(filter(None, (role.strip(" `") for role in re.split(r",|\band\b|\bor\b", match["roles"]))))
        found.append(Approval(match["action"], roles, int(match["least"])))
    return tuple(found), True


def is_step(title: str, depth: int) -> bool:
    match = _STEP.match(title)
    return match is not None and (depth in (2, 3) if match["word"] else depth == 3 and bool(match["mark"].strip()))


def read(procedure: Sequence[Line]) -> tuple[tuple[Step, ...], tuple[Problem, ...]]:
    """The steps in the order written, and what is wrong with how they are written."""
    headings = [(i, found) for i, line in enumerate(procedure) if (found := lines.heading(line))]
    problems: list[Problem] = []
    steps: list[Step] = []
    for at, (start, heading) in enumerate(headings):
        if not is_step(heading.title, heading.depth) or len(steps) == STEPS_MAX:
            continue
        end = next((i for i, later in headings[at + 1 :] if _ends(later, heading.depth)), len(procedure))
        match = _STEP.match(heading.title)
        if match is None:
            continue
        if not match["word"]:
            message = f"write the heading as `### Step {match['number']}: {match['title']}`"
            problems.append(Problem("RB012", message, heading.line, heading.title))
        scopes = _Scopes(heading.depth)
        scopes.read(procedure[start + 1 : end])
        problems += scopes.problems
        steps.append(_step(int(match["number"]), match["title"], scopes, procedure[start:end]))
    return tuple(steps), tuple(problems)


def _ends(heading: lines.Heading, depth: int) -> bool:
    """A step runs to the next heading that is not inside it; a labelled sub-heading of the same depth is inside."""
    if heading.depth < depth or is_step(heading.title, heading.depth):
        return True
    return heading.depth == depth and not (_WORD.search(heading.title) or _CIRCLE.search(heading.title))


@dataclass(slots=True)
class _Scope:
    """The step itself, or one labelled sub-block, while it is being read."""

    label: str
    line: int
    is_block: bool = False
    fields: dict[str, list[str]] = field(default_factory=dict)
    actions: list[tuple[int, list[str]]] = field(default_factory=list)
    written: list[Line] = field(default_factory=list)


class _Scopes:
    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.all = [_Scope("", 0)]
        self.problems: list[Problem] = []
        self._into: list[str] | None = None  # where a continuation line belongs

    def read(self, written: Sequence[Line]) -> None:
        for line in written:
            heading = lines.heading(line)
            if heading is not None:
                self._open(heading)
            elif not line.is_fence:
                self._take(line)
            self.all[-1].written.append(line)

    def _open(self, heading: lines.Heading) -> None:
        self._into = None
        word = _WORD.search(heading.title)
        if word and word[1].upper() != MIXED:
            self.all.append(_Scope(word[1].upper(), heading.line, is_block=True))
        elif _CIRCLE.search(heading.title):
            self._only_emoji(heading.line, heading.title)
            self.all.append(_Scope("", heading.line, is_block=True))

    def _only_emoji(self, line: int, text: str) -> None:
        message = "a colour is not a label: write the word OPERATIONAL or CONSTITUTIONAL"
        self.problems.append(Problem("RB026", message, line, text.strip()))

    def _take(self, line: Line) -> None:
        scope, text = self.all[-1], line.text
        if line.code:
            if self._into is not None:
                self._into.append(text)
        elif box := _CHECKBOX.match(text):
            self._into = [box["text"]]
            scope.actions.append((line.number, self._into))
        elif label := _LABEL_LINE.match(text):
            scope.fields.setdefault("label", []).append(label["word"])
            self._into = None
        elif expected := _EXPECTED.match(text):
            self._into = self._field("expected", expected["value"])
        elif command := _COMMAND.match(text):
            self._into = self._field("command", command["value"])
        elif (named := _FIELD.match(text)) and (name := _FIELDS.get(named["name"].lower())):
            self._into = self._field(name, named["value"])
            if name == "label" and named["value"] and not _WORD.search(named["value"]):
                self._only_emoji(line.number, named["value"])
        elif not text.strip():
            self._into = self._into if self._into == [] else None  # an empty field may go on below a blank line
        elif self._into is not None:
            self._into.append(text.strip())

    def _field(self, name: str, value: str) -> list[str]:
        """Where the field's value goes. A repeated field goes on where the first left off."""
        into = self.all[-1].fields.setdefault(name, [])
        if value.strip():
            into.append(value.strip())
        return into

    def texts(self, name: str) -> list[str]:
        found = [" ".join(scope.fields[name]) if name in scope.fields else "" for scope in self.all]
        return [text for text in found if text]


def _step(number: int, title: str, scopes: _Scopes, written: Sequence[Line]) -> Step:
    declared = _declared(scopes.all[0], title)
    blocks = [_block(scope) for scope in scopes.all if scope.is_block]
    own = _actions(scopes.all[0], declared if declared != MIXED else "")
    label = _label(declared, own, blocks)
    approvals_text = "; ".join(scopes.texts("approvals"))
    return Step(
        number=number,
        title=title.strip(" *"),
        label=label,
        actor=" ".join(scopes.texts("actor")),
        duration=" ".join(scopes.texts("duration")),
        actions=(*own, *(action for block in blocks for action in block.actions)),
        expected_outcome="; ".join(scopes.texts("expected") or scopes.texts("verification")),
        verify_command="\n".join(map(_bare, scopes.texts("command"))),
        governance_refs=_references(scopes.texts("governance")),
        approvals=approvals(approvals_text)[0],
        approvals_text=approvals_text,
        evidence=" ".join(scopes.texts("evidence")),
        rollback=" ".join(scopes.texts("rollback")),
        blocks=tuple(blocks) if label == MIXED else (),
        text=lines.raw(written),
        line=written[0].number,
        last_line=written[-1].number,
    )


def _declared(scope: _Scope, title: str) -> str:
    said = " ".join(scope.fields.get("label", ()))
    words = {word.upper() for word in _WORD.findall(said)} or set(
        re.findall(r"\b(?:OPERATIONAL|CONSTITUTIONAL)\b", title)
    )
    return MIXED if len(words) > 1 else next(iter(words), "")


def _label(declared: str, own: Iterable[Action], blocks: Sequence[Block]) -> str:
    labels = {block.label for block in blocks if block.label}
    if declared and (not labels or any(True for _ in own)):
        labels.add(declared)
    elif declared == MIXED:
        labels.add(MIXED)
    return MIXED if len(labels) > 1 else next(iter(labels), declared)


def _block(scope: _Scope) -> Block:
    return Block(scope.label, _actions(scope, scope.label), lines.raw(scope.written), scope.line)


def _actions(scope: _Scope, label: str) -> tuple[Action, ...]:
    return tuple(Action(" ".join(text).strip(), label, line) for line, text in scope.actions)


def _references(texts: Iterable[str]) -> tuple[str, ...]:
    parts = (part.strip(" .`") for text in texts if not _NONE.match(text) for part in re.split(r"[,;]", text))
    return tuple(dict.fromkeys(filter(None, parts)))


def _bare(command: str) -> str:
    """The command without the backticks around it; a command inside a sentence stays in its sentence."""
    match = _CODE_SPAN.match(command.strip())
    return match["code"] if match else command.strip()
