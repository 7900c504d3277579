"""What stops a runbook from being attached: credentials in it, and operational steps that bypass a protected object."""

from __future__ import annotations

import pytest

from runbook_links import lint_screen, linter
from runbook_links.document import Runbook
from runbook_links.linter import Finding, LintContext
from tests.unit.runbook_samples import NOW, changed, good, read

CONTEXT = LintContext(now=NOW)
NOTE = "- [ ] Note the first broken sequence.\n"
BYPASS = (NOTE, "- [ ] Note the sequence, then skip the signature check.\n")


def found(runbook: Runbook, context: LintContext = CONTEXT) -> list[Finding]:
    return linter.lint(runbook, context)


def said(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.rule, finding.severity) for finding in findings]


def test_a_secret_is_never_repeated_in_its_finding() -> None:
    finding = found(good(("- 1.2.0: second host.", "- AKIAIOSFODNN7EXAMPLE")))[0]
    assert finding.span == "AKIA…"
    assert "IOSFODNN7" not in str(finding)


@pytest.mark.parametrize(
    "secret",
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        "ghp_" + "a1B2" * 9,
        "xoxb-123456789012-abcdef",
        "https://hooks.slack.com/services/T0001/B0001/abcDEF",
        "Authorization: Bearer abcdefghij0123456789xyz",
        "postgres://tocsin:hunter22@db/tocsin",
        "PGPASSWORD=hunter2x psql",
        "password: hunter2x9",
        'api_key = "9f8e7d6c5b4a39281706f5"',
        "curl -u admin:s3cr3t https://example.org",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF123456",
    ],
)
def test_credentials_stop_a_runbook_wherever_they_stand(secret: str) -> None:
    for text in (
        changed(("- 1.2.0: second", f"- {secret} second")),
        changed(("Verify every hour.", f"<!-- {secret} -->x")),
    ):
        assert "RB019" in [finding.rule for finding in linter.blockers(read(text))]


@pytest.mark.parametrize(
    "innocent",
    [
        "postgres://tocsin:${DB_PASSWORD}@db/tocsin",
        "PGPASSWORD=$VAULT psql",
        "password: <from the vault>",
        "password: ask the keeper on duty",
        "token: see vault/keeper/2026",
        "api_key={{ key }}",
        "Bearer $TOKEN",
        "http://localhost:8080/health",
        "secret: your-secret-goes-here-123",
    ],
)
def test_references_to_credentials_are_no_credentials(innocent: str) -> None:
    assert linter.blockers(good(("- 1.2.0: second", f"- {innocent} second"))) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Bypass the halt and restart.",
        "Delete the last rows from `audit_log`.",
        "Run `verify --skip-signature-check`.",
        "`redis-cli DEL halt:flag`",
        "Do not hesitate to skip the waiting period.",
        "Do not wait, bypass the halt.",
        "The hash chain can be skipped here.",
        "If nobody answers, disable the witness.",
        "Turn off signature verification.",
        "Clear the halt flag.",
        "Truncate the timeline.",
        "Override the keeper's hold.",
        "Delete the signing key.",
    ],
)
def test_the_screen_finds_a_bypass(text: str) -> None:
    assert lint_screen.spans(text, lint_screen.BYPASS)


@pytest.mark.parametrize(
    "text",
    [
        "Never skip the signature check.",
        "Do not shorten, bypass or delete the hold.",
        "Nobody may shorten the waiting period.",
        "Check whether anyone tried to bypass the halt.",
        "Confirm that no signature was skipped.",
        "Halt state is clear.",
        "Delete the stale Redis key.",
        "Verify that each override is in the audit log.",
        "Check override logging against the timeline.",
        "Restart the API without skipping the witness check.",
        "Skip this step if the halt is active.",
        "Disable the job and check the halt state.",
        "Force a restart. The quorum is untouched.",
    ],
)
def test_the_screen_lets_pass_what_forbids_or_asks(text: str) -> None:
    assert lint_screen.spans(text, lint_screen.BYPASS) == []


def test_a_constitutional_step_may_speak_of_protected_objects() -> None:
    runbook = good(("Stop the writer with", "Override the hold and stop the writer with"))
    assert linter.blockers(runbook) == ()


def test_a_reviewed_bypass_is_a_note_and_is_counted() -> None:
    waiver = "<!-- lint: RB022 reviewed-by role:keeper-duty reason the check is repeated in step 2 -->\n"
    (finding,) = found(good((NOTE, BYPASS[1] + waiver)))
    assert (finding.rule, finding.severity, finding.waived_by) == ("RB022", "I", "role:keeper-duty")
    assert linter.waived([finding]) == [finding]
    assert linter.blockers(good((NOTE, BYPASS[1] + waiver))) == ()


@pytest.mark.parametrize(
    "waiver", ["lint: RB022 reviewed-by ana", "lint: RB022 reason it is fine", "lint: RB018 reviewed-by a reason b"]
)
def test_a_waiver_without_reviewer_or_reason_or_of_another_rule_waives_nothing(waiver: str) -> None:
    runbook = good((NOTE, BYPASS[1] + f"<!-- {waiver} -->\n"))
    assert said(found(runbook)) == [("RB022", "E")]
    assert [finding.rule for finding in linter.blockers(runbook)] == ["RB022"]


def test_a_waiver_holds_in_its_own_step_only() -> None:
    waiver = "<!-- lint: RB022 reviewed-by ana reason it is fine -->\n"
    runbook = good(BYPASS, ("#### OPERATIONAL", waiver + "#### OPERATIONAL"))
    assert said(found(runbook)) == [("RB022", "E")]


def test_a_confirmation_in_the_step_is_care_enough_for_a_command_that_destroys() -> None:
    careful = "- [ ] Tidy up with `rm -rf /tmp/verify`, after a dry run.\n"
    assert found(good((NOTE, careful))) == []
