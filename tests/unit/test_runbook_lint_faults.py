"""Each finding of the linter by a document that has that fault and no other."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from runbook_links import linter
from runbook_links.linter import LintContext
from tests.unit.runbook_samples import NOW, changed, good, read

CONTEXT = LintContext(now=NOW)
STEP_1 = "### Step 1: Confirm the break"
NOTE = "- [ ] Note the first broken sequence.\n"


@dataclass(frozen=True)
class Fault:
    rule: str
    severity: str
    of: str  # what is wrong
    edits: tuple[tuple[str, str], ...]
    at: str = ""  # how the line begins that the finding points to


def fault(rule: str, severity: str, of: str, *edits: tuple[str, str], at: str = "") -> Fault:
    return Fault(rule, severity, of, edits, at)


HALT = (
    ("action: reopen-writes", "action: resume-after-halt"),
    ("**Approvals:** reopen-writes", "**Approvals:** resume-after-halt"),
)
HALT_HELD = (*HALT, ("tags: [store]", 'min_hold: "P2D"'))
OPERATIONAL_ONLY = (
    ("class: mixed", "class: operational"),
    ("**Label:** CONSTITUTIONAL", "**Label:** OPERATIONAL"),
    ("**Label:** MIXED\n", "**Label:** OPERATIONAL\n"),
    ("#### OPERATIONAL\n", ""),
    ("#### CONSTITUTIONAL\n", ""),
)
BYPASS = (NOTE, "- [ ] Note the sequence, then skip the signature check.\n")

# fmt: off
FAULTS = [
    fault("RB001", "E", "a duplicate key", ("epic: 1", "epic: 1\nepic: 2"), at="epic: 2"),
    fault("RB002", "E", "a missing key", ("automation_level: manual\n", "")),
    fault("RB002", "E", "an empty value", ('title: "Chain Break"', "title:"), at="title:"),
    fault("RB002", "E", "no contact", ("contacts: [role:keeper-duty]", "contacts: []"), at="contacts:"),
    fault("RB002", "E", "a placeholder", ("owner: role:store-oncall", 'owner: "[Team/Role]"'), at="owner:"),
    fault("RB002", "E", "a placeholder in a list", ("contacts: [role:keeper-duty]", "contacts: [TBD]"), at="contacts:"),
    fault("RB002", "E", "a missing key of recert", (', record_url: "git"', ""), at="recert:"),
    fault("RB003", "E", "an unquoted version", ('version: "1.2.0"', "version: 1.2.0"), at="version:"),
    fault("RB003", "E", "an unquoted date", ('next_review: "2026-12-01"', "next_review: 2026-12-01"), at="next_review:"),
    fault("RB003", "E", "a bad enum", ("frequency: on-demand", "frequency: sometimes"), at="frequency:"),
    fault("RB003", "E", "a bad item of a list", ("[CRITICAL, HIGH]", "[CRITICAL, SEVERE]"), at="severities:"),
    fault("RB003", "E", "a date that the calendar lacks", ('created: "2026-01-05"', 'created: "2026-02-30"'), at="created:"),
    fault("RB003", "E", "an epic out of range", ("epic: 1", "epic: 9"), at="epic:"),
    fault("RB003", "E", "text where a list belongs", ("tags: [store]", "tags: store"), at="tags:"),
    fault("RB003", "E", "a flag that is a word", ("active: true", 'active: "true"'), at="active:"),
    fault("RB004", "E", "an id that is not the file's name", ("id: chain-break", "id: chain-broken"), at="id:"),
    fault("RB005", "E", "a date in the future",
          ('last_updated: "2026-11-01"', 'last_updated: "2026-11-16"'),
          ("Last Updated: 2026-11-01", "Last Updated: 2026-11-16"),
          at="last_updated:"),
    fault("RB006", "W", "another title", ("# Chain Break", "# Broken Chain"), at="# Broken"),
    fault("RB006", "W", "a second title", ("## Purpose", "# More\n\n## Purpose"), at="# More"),
    fault("RB006", "W", "another owner in the header", ("Owner: Store on-call", "Owner: Platform"), at="Owner:"),
    fault("RB006", "E", "another version in the header", ("Version: 1.2.0", "Version: 1.20"), at="Version:"),
    fault("RB006", "E", "another date in the header", ("Last Updated: 2026-11-01", "Last Updated: 2026-11-02"), at="Last"),
    fault("RB010", "E", "a missing section", ("## Symptoms\n\n- Verification stops at a sequence number.\n\n", "")),
    fault("RB010", "E", "an empty section", ("- Verification stops at a sequence number.", ""), at="## Symptoms"),
    fault("RB010", "E", "a section of placeholders", ("- Verification stops at a sequence number.", "- TBD"), at="## Symptoms"),
    fault("RB010", "E", "a rollback that does not apply, without a reason",
          ("Start the writer again as in [step 2](#step-2-close-the-store-to-writes).", "Not applicable."),
          at="## Rollback"),
    fault("RB011", "W", "sections out of order",
          ("## Symptoms", "## S"),
          ("## Prevention", "## Symptoms\n\n- It stops.\n\n## Prevention"),
          ("## S\n\n", "## Notes\n\n"),
          at="## Symptoms"),
    fault("RB012", "E", "a gap in the numbers", ("### Step 3", "### Step 4"), at="### Step 4"),
    fault("RB012", "E", "a step by its number alone", ("### Step 3: Hand", "### 3. Hand"), at="### 3."),
    fault("RB013", "E", "a step without a checkbox", ("- [ ] Stop the writer", "- Stop the writer"), at="### Step 2"),
    fault("RB013", "E", "a part without a checkbox", ("- [ ] Tell the", "- Tell the"), at="#### OPERATIONAL"),
    fault("RB014", "E", "no expected outcome", ("- Expected outcome: `writer: stopped`\n", ""), at="### Step 2"),
    fault("RB015", "W", "a verification that says nothing",
          ("the verifier names one sequence, twice the same.", "all is well"),
          ("`store verify --last 1000`", "check the logs"),
          at="### Step 1"),
    fault("RB016", "W", "no actor", ("**Actor:** Human (keeper on duty)\n", ""), at="### Step 2"),
    fault("RB016", "W", "no duration", ("**Duration:** 10 minutes\n", ""), at="### Step 2"),
    fault("RB017", "E", "no way back",
          ("**Rollback:** start the writer with `store writer start` once both have agreed.\n", ""),
          at="- [ ] Stop the writer"),
    fault("RB017", "E", "irreversible without a reason",
          ("start the writer with `store writer start` once both have agreed.", "Irreversible:"),
          at="- [ ] Stop the writer"),
    fault("RB018", "W", "a command that destroys", (NOTE, "- [ ] Tidy up: `rm -rf /tmp/verify`.\n"), at="- [ ] Tidy"),
    fault("RB019", "E", "a key in an example", ("- 1.2.0: second host.", "- 1.2.0: AKIAIOSFODNN7EXAMPLE"), at="- 1.2.0:"),
    fault("RB020", "E", "no label", ("**Label:** OPERATIONAL\n", ""), at=STEP_1),
    fault("RB020", "E", "mixed without parts", ("#### OPERATIONAL\n", ""), ("#### CONSTITUTIONAL\n", ""), at="### Step 3"),
    fault("RB020", "E", "an action outside the parts", ("#### OPERATIONAL\n", "- [ ] Sit down.\n#### OPERATIONAL\n"), at="- [ ] Sit"),
    fault("RB021", "E", "no governance in the file", ('governance_refs: ["FR21", "ADR-10"]\n', "")),
    fault("RB021", "E", "no governance in a step", ("**Governance:** FR21, ADR-10\n", ""), at="### Step 2"),
    fault("RB021", "E", "no evidence to record", ("**Evidence to record:** both names.\n", ""), at="### Step 3"),
    fault("RB022", "E", "an operational step that bypasses", BYPASS, at="- [ ] Note"),
    fault("RB022", "E", "the operational part of a mixed step", ("Tell the observers.", "Override the hold."), at="- [ ] Override"),
    fault("RB022", "E", "a bypass hidden in an option", ("--last 1000`", "--skip-signature-check`"), at="- Command"),
    fault("RB022", "E", "troubleshooting advice", *OPERATIONAL_ONLY, ("Take the copy", "Ignore the hash chain"), at="| The verifier"),
    fault("RB023", "E", "class operational with a constitutional step", ("class: mixed", "class: operational"), at="class:"),
    fault("RB023", "E", "class mixed without a constitutional step", *OPERATIONAL_ONLY[1:], at="class:"),
    fault("RB024", "E", "one approver in the file", ("min: 2}]", "min: 1}]"), at="approvals:"),
    fault("RB024", "E", "one approver in a step", ("2 of keeper, governance", "1 of keeper, governance"), at="### Step 2"),
    fault("RB024", "E", "a change that nobody approves",
          ("**Approvals:** reopen-writes: 2 of keeper, governance", "**Approvals:** none"),
          at="### Step 2"),
    fault("RB024", "E", "approvals that cannot be read", ("**Approvals:** none", "**Approvals:** the keepers"), at="### Step 3"),
    fault("RB024", "E", "no word on approvals", ("**Approvals:** none\n", ""), at="### Step 3"),
    fault("RB024", "E", "an approval that the file lacks", ("action: reopen-writes", "action: reopen"), at="### Step 2"),
    fault("RB024", "E", "no approvals in the file", ("approvals: [{action: reopen-writes, roles: [keeper, governance], min: 2}]\n", "")),
    fault("RB025", "E", "a halt runbook without a hold", *HALT),
    fault("RB025", "E", "a hold that is too short", *HALT, ("tags: [store]", 'min_hold: "PT47H"'), at="min_hold:"),
    fault("RB025", "E", "a step that waives the hold",
          *HALT_HELD,
          ("Stop the writer", "Waive the hold, stop the writer"),
          at="- [ ] Waive"),
    fault("RB025", "E", "a step that waits less",
          *HALT_HELD,
          ("- [ ] Verify that", "- [ ] After a 24-hour hold, verify that"),
          at="- [ ] After"),
    fault("RB026", "W", "a broken encoding", ("Verify every hour.", "Verify â€” every hour."), at="Verify â"),
    fault("RB030", "E", "no table", ("|-----------|-------------|---------|\n", ""), at="## Escalation"),
    fault("RB030", "E", "other columns", ("| Condition | Escalate To | Contact |", "| When | Who | Contact |"), at="## Escalation"),
    fault("RB030", "E", "no row",
          ("| Verification failed | Keeper on duty | role:keeper-duty |\n", ""),
          ("| No answer in 10 minutes | Governance chair | role:governance-chair |\n", ""),
          at="## Escalation"),
    fault("RB031", "E", "a contact that is a placeholder",
          ("| Keeper on duty | role:keeper-duty |", "| Keeper on duty | [info] |"),
          at="| Verif"),
    fault("RB032", "W", "no row for a failed verification", ("| Verification failed |", "| The store is down |"), at="## Escalation"),
    fault("RB032", "W", "no row for silence", ("| No answer in 10 minutes |", "| The store is down |"), at="## Escalation"),
    fault("RB040", "E", "an expired certification",
          ('certified_on: "2026-11-01"', 'certified_on: "2026-10-01"'),
          ('next_review: "2026-12-01"', 'next_review: "2026-11-01"'),
          at="recert:"),
    fault("RB040", "W", "an overdue certification",
          ('certified_on: "2026-11-01"', 'certified_on: "2026-10-10"'),
          ('next_review: "2026-12-01"', 'next_review: "2026-11-10"'),
          at="recert:"),
    fault("RB040", "I", "a certification that is due",
          ('certified_on: "2026-11-01"', 'certified_on: "2026-10-20"'),
          ('next_review: "2026-12-01"', 'next_review: "2026-11-20"'),
          at="recert:"),
    fault("RB041", "E", "no owner",
          ("owner: role:store-oncall\n", ""),
          ("Owner: Store on-call\n", ""),
          ('certified_by: "role:store-oncall"', 'certified_by: "x"')),
    fault("RB041", "W", "certified by someone else", ('certified_by: "role:store-oncall"', 'certified_by: "role:other"'), at="recert:"),
    fault("RB042", "W", "a review that does not follow the period",
          ('next_review: "2026-12-01"', 'next_review: "2026-12-15"'),
          at="next_review:"),
    fault("RB043", "W", "never exercised", ('last_exercised: {date: "2026-10-01", kind: dry-run}\n', "")),
    fault("RB043", "W", "not exercised for a year", ('{date: "2026-10-01", kind', '{date: "2025-11-14", kind'), at="last_exercised:"),
    fault("RB053", "I", "nothing about monitoring", ("## Monitoring\n\nThe age of the last verification.\n\n", "")),
    fault("RB054", "I", "too long for the night", ("Verify every hour.", "Verify every hour. " + "word " * 2000)),
]
# fmt: on


def test_a_good_runbook_has_no_finding() -> None:
    assert linter.lint(good(), CONTEXT) == []
    assert linter.publishable(linter.lint(good(), CONTEXT))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.rule} {fault.of}")
def test_each_fault_is_the_only_finding(fault: Fault) -> None:
    text = changed(*fault.edits)
    (finding,) = linter.lint(read(text), CONTEXT)
    assert (finding.rule, finding.severity) == (fault.rule, fault.severity), finding
    assert finding.runbook == "chain-break"
    assert linter.publishable([finding]) == (fault.severity != "E")
    line = text.split("\n")[finding.line - 1]
    if fault.at:
        assert line.startswith(fault.at), (finding, line)
    if finding.span and finding.rule != "RB019":
        assert finding.span.rstrip("…") in text.replace("\n  ", " ")


def test_every_rule_of_the_single_document_has_a_fault_in_the_table() -> None:
    wanted = {f"RB{n:03}" for n in (*range(1, 7), *range(10, 27), *range(30, 33), *range(40, 44), 53, 54)}
    assert {fault.rule for fault in FAULTS} == wanted


def test_a_halt_runbook_that_waits_48_hours_has_no_finding() -> None:
    assert linter.lint(good(*HALT_HELD), CONTEXT) == []
    assert (
        linter.lint(
            good(*HALT_HELD, ("- [ ] Verify that", "- [ ] Never shorten the 48-hour wait; verify that")), CONTEXT
        )
        == []
    )
