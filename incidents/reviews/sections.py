"""The sections of a review, in their order: what each asks of people, and by when. Pure, a table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Gate(StrEnum):
    """The state of the review that cannot be entered before people have written the section."""

    ALWAYS = "always"  # its facts are due with the first draft; people add to them when they can
    RESOLVED = "resolved"
    IN_REVIEW = "in review"
    REVIEWED = "reviewed"
    CLOSED = "closed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Section:
    number: str  # "1" to "25", then "C1" to "C9"
    key: str  # stable: what people write is stored under it
    heading: str
    gate: Gate
    prompts: tuple[str, ...] = ()  # what people are asked to write; none: the section is facts only
    drafted: bool = True  # Tocsin fills in the facts it has

    @property
    def written_by_people(self) -> bool:
        return bool(self.prompts)


OPERATIONAL = (
    Section("1", "control", "Control block", Gate.ALWAYS),
    Section(
        "2", "summary", "Summary", Gate.IN_REVIEW,
        ("What happened, whom it touched and how it ended, in two or three sentences.",),
    ),
    Section(
        "3", "impact", "Impact", Gate.IN_REVIEW,
        (
            "Users, accounts, tickets and functions affected: each number with the source it comes from.",
            "What kept working.",
        ),
    ),
    Section(
        "4", "detection", "Detection", Gate.IN_REVIEW,
        ("Why it was not noticed earlier.", "What would have halved the time to detect it."),
    ),
    Section(
        "5", "classification", "Classification and why", Gate.ALWAYS,
        ("Were the class and the severity right? If not, which words should have decided it?",),
    ),
    Section(
        "6", "timeline", "Timeline", Gate.IN_REVIEW,
        (
            "Decisions, and what was believed at the moment they were taken.",
            "Events the record does not have; give each its source.",
        ),
    ),
    Section(
        "7", "phases", "Phases against their targets", Gate.ALWAYS,
        ("Why a target was not met. Missing one is not by itself a mistake.",),
    ),
    Section(
        "8", "paging", "Paging and escalation", Gate.ALWAYS,
        ("Were the right people reached? Who else was needed, and what told you so?",),
    ),
    Section("9", "responders", "Responders and roles", Gate.ALWAYS),
    Section(
        "10", "runbook", "Runbook used", Gate.ALWAYS,
        ("Was it the right one?", "Which step was wrong or missing?", "Does it need an update: yes or no?"),
    ),
    Section(
        "11", "lead-up", "Lead-up and trigger", Gate.IN_REVIEW,
        ("How the system came to be in this state, and what set the incident off.",),
    ),
    Section(
        "12", "contributing-factors", "Contributing factors (root cause analysis)", Gate.REVIEWED,
        (
            "At least two factors, or the reason why there is only one.",
            "Cues: what did people see first, and what did it look like to them?",
            "Prior knowledge: who had seen something like it, and how would a newcomer have known?",
            "Goals: which aims pulled in different directions, and what gave way?",
            "Assessment: what did people think was going on, and what changed their minds?",
            "Acting: which actions were open to them, and what made those look right?",
            "Support: where did people turn for support, and was it there?",
            "Process: which rule, tool or habit shaped what was done?",
        ),
        drafted=False,
    ),
    Section("13", "went-well", "Mitigators and what went well", Gate.REVIEWED, ("What kept it from being worse.",)),
    Section("14", "went-badly", "What went badly", Gate.REVIEWED, ("What made it worse, longer or harder.",)),
    Section(
        "15", "lucky", "Where we got lucky", Gate.REVIEWED,
        ('What could as easily have gone the other way; near misses. "None" is an answer, a blank is not.',),
        drafted=False,
    ),
    Section(
        "16", "resolution", "Resolution and recovery check", Gate.RESOLVED,
        ("What is a temporary fix, what is permanent.", "How it was checked that the service is well again."),
    ),
    Section(
        "17", "recurrence", "Recurrence", Gate.IN_REVIEW,
        ("Was this a known risk? If it was decided not to act on it, when and why?",),
    ),
    Section("18", "risks", "Risks and open questions", Gate.REVIEWED, ("What is still exposed; what nobody knows yet.",)),
    Section(
        "19", "actions", "Action items", Gate.REVIEWED,
        (
            'For each action: a verb, an outcome and "done when"; one owner; a due date; one kind of '
            "prevent, detect, mitigate, process, runbook, governance.",
            "Actions that were proposed and declined, with the reason.",
        ),
    ),
    Section("20", "lessons", "Lessons", Gate.REVIEWED, ("What others should know before they meet this.",)),
    Section(
        "21", "prevention", "Prevention checklist", Gate.REVIEWED,
        (
            'Preventive measures: the action, or "not needed because".',
            'Monitoring: the action, or "not needed because".',
            'Alerting: the action, or "not needed because".',
            'Training: the action, or "not needed because".',
            'Procedures: the action, or "not needed because".',
        ),
        drafted=False,
    ),
    Section(
        "22", "communications", "Communications", Gate.CLOSED,
        ("Internal note.", "External message: summary, what happened, what we do about it."),
    ),
    Section("23", "evidence", "Evidence and cost", Gate.NONE),
    Section("24", "integrity", "Integrity attestation", Gate.ALWAYS),
    Section(
        "25", "meeting", "Review meeting and sign-off", Gate.CLOSED,
        ("Agenda and attendance.", "Dissent, in the words of those who hold it.", "Who signs off, and when."),
    ),
)  # fmt: skip

CONSTITUTIONAL = (
    Section(
        "C1", "guarantee", "Guarantee affected and governance references", Gate.IN_REVIEW,
        ("Which guarantee was affected, with the requirement, decision record or policy that gives it.",),
    ),
    Section(
        "C2", "integrity-scope", "Integrity scope", Gate.IN_REVIEW,
        (
            "First and last sequence affected; the last checkpoint known to be good.",
            "Chain, signature and witness verification before and after, each with its result.",
        ),
    ),
    Section(
        "C3", "stopped", "Is the affected process stopped?", Gate.IN_REVIEW,
        (
            "Yes or no; if not, why not. Saying that it is stopped is a pledge.",
            "The condition under which it may start again.",
        ),
    ),
    Section(
        "C4", "halt-and-hold", "Halt and hold record", Gate.IN_REVIEW,
        (
            "The state of both halt channels, and who read it.",
            "Every request to shorten the wait, and the answer it got.",
            "The 7-day breach clock, if one was started.",
        ),
    ),
    Section(
        "C5", "approvals", "Approvals", Gate.IN_REVIEW,
        ("Dissent that was spoken and not entered, in the speaker's words.",),
    ),
    Section(
        "C6", "ceremony", "Key ceremony and override record", Gate.REVIEWED,
        (
            "The script that was followed.",
            "Exceptions, as the witness noted them.",
            'Attestations, with names and times. "No ceremony took place" is an answer, a blank is not.',
        ),
    ),
    Section(
        "C7", "custody", "Evidence custody", Gate.IN_REVIEW,
        ("Read-only copies: what, where, their hashes, and who held them from when to when.",),
    ),
    Section(
        "C8", "constitutional-metrics", "Constitutional metrics before and after", Gate.REVIEWED,
        (
            "Breach count, override rate, dissent health and witness coverage, before and after. "
            "Uptime, latency, errors and resources do not belong here.",
        ),
    ),
    Section(
        "C9", "independent-review", "Independent reviewer and ratification", Gate.CLOSED,
        (
            "A reviewer who did not respond to the incident, and what they found.",
            "Ratification by two authorised people; without them no action is declined and nothing is redacted.",
            "Disclosure to observers: what was told, to whom, when.",
        ),
    ),
)  # fmt: skip


def for_class(incident_class: str) -> tuple[Section, ...]:
    return OPERATIONAL + CONSTITUTIONAL if incident_class == "constitutional" else OPERATIONAL
