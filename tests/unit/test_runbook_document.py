"""Reading a runbook: Markdown text -> Runbook."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook_links import document, lines, sections
from runbook_links.document import Approval, RunbookError
from tests.unit import runbook_samples
from tests.unit.runbook_samples import GOOD, PLAIN, good, read


def rules(runbook: document.Runbook) -> list[str]:
    return [problem.rule for problem in runbook.problems]


def test_a_runbook_carries_what_its_front_matter_says() -> None:
    runbook = good()
    assert (runbook.id, runbook.title, runbook.incident_class) == ("chain-break", "Chain Break", "mixed")
    assert runbook.severities == ("CRITICAL", "HIGH")
    assert runbook.triggers == ("K01", "ChainBroken")
    assert runbook.version == "1.2.0"
    assert (runbook.last_updated, runbook.next_review) == (date(2026, 11, 1), date(2026, 12, 1))
    assert runbook.approvals == (Approval("reopen-writes", ("keeper", "governance"), 2),)
    assert runbook.recert.due_on == date(2026, 12, 1)
    assert runbook.last_exercised.kind == "dry-run"
    assert runbook.front_matter["ship_factor"] == "0.7"
    assert runbook.problems == ()


def test_a_step_carries_its_fields_and_joins_a_wrapped_action() -> None:
    first, second, _ = good().steps
    assert first.actions[0].text == "Run the verifier over the last 1,000 entries and keep its output."
    assert (first.label, first.actor, first.duration) == ("OPERATIONAL", "Human (store on-call)", "5 minutes")
    assert first.verify_command == "store verify --last 1000"
    assert second.governance_refs == ("FR21", "ADR-10")
    assert second.approvals == (Approval("reopen-writes", ("keeper", "governance"), 2),)
    assert second.evidence == "the status line and its time."
    assert second.rollback.startswith("start the writer")


def test_each_action_of_a_mixed_step_has_the_label_of_its_block() -> None:
    step = good().steps[2]
    assert step.label == "MIXED"
    assert [(action.text, action.label) for action in step.actions] == [
        ("Tell the observers.", "OPERATIONAL"),
        ("Verify that both witnesses signed.", "CONSTITUTIONAL"),
    ]
    assert [block.label for block in step.blocks] == ["OPERATIONAL", "CONSTITUTIONAL"]
    assert step.expected_outcome == "2 signatures."


def test_lines_are_those_of_the_file() -> None:
    step = good().steps[1]
    written = GOOD.split("\n")
    assert written[step.line - 1] == "### Step 2: Close the store to writes"
    assert written[step.actions[0].line - 1].startswith("- [ ] Stop the writer")
    assert written[good().section_lines["Escalation"] - 1] == "## Escalation"


def test_the_digest_is_that_of_the_files_bytes() -> None:
    text = "\ufeff" + GOOD.replace("\n", "\r\n")
    runbook = read(text)
    assert runbook.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert runbook.problems == ()
    assert len(runbook.steps) == 3


def test_a_plain_document_is_read_by_its_header_lines_and_sub_headings() -> None:
    runbook = read(PLAIN, "restart")
    assert rules(runbook) == ["RB001"]
    assert (runbook.id, runbook.title, runbook.owner) == ("restart", "Restart the API", "Platform")
    assert (runbook.version, runbook.last_updated) == ("1.0", date(2026, 10, 1))
    assert list(runbook.sections) == [
        "Purpose",
        "Prerequisites",
        "Trigger Conditions",
        "Procedure",
        "Escalation",
        "References",
    ]
    assert [action.label for action in runbook.steps[0].actions] == ["OPERATIONAL", "CONSTITUTIONAL"]
    assert runbook.incident_class == "mixed"


def test_a_footer_below_a_rule_is_read_as_header_lines() -> None:
    footer = "\n---\n\n**Last Updated**: 2025-10-23  \n**Owner**: Pilot Team  \n**Version**: 1.0.0"
    runbook = read("# Operations\n\n## Purpose\n\nThis." + footer, "ops")
    assert (runbook.owner, runbook.version, runbook.last_updated) == ("Pilot Team", "1.0.0", date(2025, 10, 23))


def test_steps_by_number_alone_are_read_and_reported() -> None:
    text = "# T\n\n## Steps\n\n### 1. Drain (Manual)\n**Actor**: Human\n**Duration**: ~5 minutes\n- [ ] x\n**Validation**: 0 left\n"
    runbook = read(text, "t")
    (step,) = runbook.steps
    assert (step.number, step.title, step.actor, step.expected_outcome) == (1, "Drain (Manual)", "Human", "0 left")
    assert rules(runbook) == ["RB001", "RB012"]


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("Overview", "Purpose"),
        ("Triggers", "Trigger Conditions"),
        ("Resolution", "Procedure"),
        ("Error Handling", "Troubleshooting"),
        ("Outputs", "Expected Outcomes"),
        ("Updates", "Change Log"),
        ("3. Symptoms", "Symptoms"),
        ("🔵 Verification", "Verification"),
        ("Something else", "Something else"),
    ],
)
def test_a_section_is_known_by_its_other_names(heading: str, name: str) -> None:
    assert sections.canonical(heading) == name


@pytest.mark.parametrize(
    ("key", "typed", "says"),
    [
        ('version: "1.2.0"', "version: 1.10", 'write `version: "1.10"`'),
        ("owner: role:store-oncall", "owner: on", 'write `owner: "on"`'),
        ('title: "Chain Break"', "title: 22:00", "a number in base 60"),
        ("id: chain-break", "id: 0123", "a number that is not decimal"),
        ('last_updated: "2026-11-01"', "last_updated: 2026-11-01", "a date object"),
        ('certified_on: "2026-11-01"', "certified_on: 2026-11-01", 'write `certified_on: "2026-11-01"`'),
        ("active: true", "active: yes", 'write `active: "yes"`'),
    ],
)
def test_a_value_that_yaml_would_change_is_reported_with_its_quoting(key: str, typed: str, says: str) -> None:
    problems = [p for p in good((key, typed)).problems if p.rule == "RB003"]
    assert len(problems) == 1
    assert says in problems[0].message
    assert runbook_samples.changed((key, typed)).split("\n")[problems[0].line - 1].find(problems[0].span) >= 0


def test_an_unquoted_version_keeps_the_digits_that_its_author_typed() -> None:
    assert good(('version: "1.2.0"', "version: 1.10")).version == "1.10"


def test_an_unquoted_version_is_refused_even_where_yaml_reads_it_as_text() -> None:
    (problem,) = good(('version: "1.2.0"', "version: 1.2.0")).problems
    assert problem.rule == "RB003"
    assert 'version: "1.2.0"' in problem.message


@pytest.mark.parametrize(
    ("typed", "active"), [("true", True), ("false", False), ("no", False), ('"off"', False), ("1", True)]
)
def test_a_runbook_that_its_author_switched_off_is_off_however_they_wrote_it(typed: str, active: bool) -> None:
    assert good(("active: true", f"active: {typed}")).active is active


def test_a_duplicate_key_keeps_the_first_value_and_is_reported() -> None:
    runbook = good(("epic: 1", "epic: 1\nclass: operational"))
    assert rules(runbook) == ["RB001"]
    assert runbook.incident_class == "mixed"


@pytest.mark.parametrize(
    "front",
    [
        "- a\n- b",
        "just words",
        "a: [1, 2",
        "a: &x [1]\nb: *x",
        "a: " + "[" * 50 + "]" * 50,
        'a: "\\UFFFFFFFF"',
        "a: b\n...\n---x",
        "? [a]\n: b\nc: !!python/object:os.system x",
        "a: &a [*a]",
    ],
)
def test_front_matter_that_cannot_be_used_is_a_problem_and_not_a_crash(front: str) -> None:
    runbook = read(f"---\n{front}\n---\n# T\n\n## Purpose\n\nIt.\n", "t")
    assert set(rules(runbook)) & {"RB001", "RB003"}
    assert runbook.sections["Purpose"] == "It."


def test_front_matter_that_is_never_closed_is_a_problem() -> None:
    runbook = read(GOOD.replace("\n---\n", "\n", 1))
    assert "not closed" in runbook.problems[0].message
    assert runbook.steps[1].number == 2


@pytest.mark.parametrize("text", ["", " \n\n", "only words", "\0", "# T" + "x" * document.TEXT_CHARACTERS_MAX])
def test_text_of_which_nothing_can_be_made_is_refused(text: str) -> None:
    with pytest.raises(RunbookError):
        read(text, "t")


def test_what_stands_in_code_or_in_a_comment_is_not_structure() -> None:
    text = "# T\n\n## Procedure\n\n```\n### Step 1: shown\n- [ ] x\n```\n<!--\n### Step 2: hidden\n-->\n### Step 1: real\n- [ ] y\n"
    (step,) = read(text, "t").steps
    assert step.title == "real"


def test_a_comment_that_is_never_closed_hides_nothing() -> None:
    assert len(good(("## Purpose\n", "## Purpose\n\n<!-- note\n")).steps) == 3


def test_a_comment_shown_as_code_stays() -> None:
    assert lines.without_comments("a `<!-- b -->` <!-- c -->d") == "a `<!-- b -->` d"


def test_a_waiver_is_read_with_its_reviewer_and_reason() -> None:
    waiver = good(("- [ ] Tell", "<!-- lint: RB022 reviewed-by ana reason only a drill -->\n- [ ] Tell")).waivers[0]
    assert (waiver.rule, waiver.reviewer, waiver.reason) == ("RB022", "ana", "only a drill")


@pytest.mark.parametrize(
    ("approvals", "expected"),
    [
        ("none", ()),
        ("none (one keeper may stop; it takes two to go on)", ()),
        ("resume-after-halt: 2 of keeper, governance", (Approval("resume-after-halt", ("keeper", "governance"), 2),)),
        (
            "a: 2 of keeper; b: 3 of keeper and chair.",
            (Approval("a", ("keeper",), 2), Approval("b", ("keeper", "chair"), 3)),
        ),
    ],
)
def test_approvals_of_a_step_are_read(approvals: str, expected: tuple[Approval, ...]) -> None:
    runbook = good(("**Approvals:** reopen-writes: 2 of keeper, governance", f"**Approvals:** {approvals}"))
    assert runbook.steps[1].approvals == expected


def test_anchors_are_made_as_github_makes_them() -> None:
    runbook = read("# A & B\n\n## What `x_y` is?\n\n## Step 1: Go!\n\n## Step 1: Go!\n", "t")
    assert runbook.anchors == ("a--b", "what-x_y-is", "step-1-go", "step-1-go-1")


@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(text: str) -> None:
    for shown in (text, f"---\n{text}\n---\n# T\n", f"# T\n\n## Procedure\n\n### Step 1: x\n{text}"):
        try:
            read(shown, "t")
        except RunbookError:
            assert shown == text or "\0" in text


@settings(max_examples=150)
@given(text=runbook_samples.spoilt())
def test_a_spoilt_runbook_is_read_or_refused(text: str) -> None:
    try:
        runbook = read(text)
    except RunbookError:
        assert "\0" in text or not text.startswith("---\n")
    else:
        assert runbook.sha256 == hashlib.sha256(text.encode()).hexdigest()
