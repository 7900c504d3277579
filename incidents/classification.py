"""What an alert is: operational or constitutional, how severe, and which runbook helps. Pure.

Every rule is evaluated and every hit kept, so that "why was this CRITICAL?" has an answer: the record. The order is
guards (drill, resolved, good news), exact name and label rules, constitutional rules with their exclusions,
operational rules, defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from incidents import evidence, explanation, severity, wording
from incidents.evidence import Evidence, Hit, Subject
from incidents.explanation import Because, Judgement, RunbookChoice
from incidents.ruleset import Ruleset
from incidents.severity import IncidentClass, Severity

DEFAULT_SEVERITY = Severity.MEDIUM  # no rule matched: a person looks within 15 minutes
GOOD_NEWS_HINT_MAX = Severity.MEDIUM  # above it the source contradicts the text, and the source is believed


@dataclass(frozen=True, slots=True)
class AlertText:
    """What is known of an alert when it is classified. Any text is accepted."""

    title: str
    body: str = ""
    name: str = ""  # the alert's name (labels.alertname)
    service: str = ""  # the routed service's key
    component: str = ""
    environment: str = ""
    source: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    status: str = "firing"  # firing, resolved or acknowledged
    severity_hint: Severity | None = None
    protected: bool = False  # the service is declared protected by its owner


@dataclass(frozen=True, slots=True)
class Classification:
    incident_class: IncidentClass
    severity: Severity
    runbook: str  # a runbook's id; "" if none
    runbook_candidates: tuple[str, ...]  # the others that came into question, best first
    confirm_class: bool  # a person is asked to confirm the class within the first phase
    halt_recommended: bool  # constitutional CRITICAL
    reasons: tuple[str, ...]  # one sentence each, for people
    sentence: str  # all of it in one
    record: Mapping[str, Any]  # everything, JSON-able without null and fractions; same input, same rules: same bytes


def classify(alert: AlertText, ruleset: Ruleset) -> Classification:
    """Never raises, whatever the text. The same alert and ruleset always give the same record."""
    protected = alert.protected or ruleset.protects(alert.service)
    found = evidence.gather(
        Subject(
            fields={"name": alert.name, "title": alert.title, "body": alert.body},
            surroundings={
                "service": alert.service,
                "component": alert.component,
                "environment": alert.environment,
                "source": alert.source,
            },
            labels=alert.labels,
            protected=protected,
        ),
        ruleset,
    )
    judgement = _judge(alert, ruleset, found, protected)
    return Classification(
        incident_class=judgement.incident_class,
        severity=judgement.severity,
        runbook=judgement.runbook.chosen.value,
        runbook_candidates=judgement.runbook.others,
        confirm_class=judgement.confirm_class,
        halt_recommended=judgement.halt_recommended,
        reasons=explanation.reasons(judgement),
        sentence=explanation.sentence(judgement),
        record=explanation.record(judgement, ruleset, _input_sha256(alert)),
    )


def _judge(alert: AlertText, ruleset: Ruleset, found: Evidence, protected: bool) -> Judgement:
    class_because = _class_because(alert, ruleset, found, protected)
    incident_class = IncidentClass.CONSTITUTIONAL if class_because else IncidentClass.OPERATIONAL
    established = any(not because.rule for because in class_because)
    gate, gated = _gate(found, established)
    guard = _guard(alert, found)
    judged, because, hint_effect = _severity(alert, found, gated, guard)
    return Judgement(
        incident_class=incident_class,
        class_because=class_because,
        severity=judged,
        severity_because=because,
        guard=guard,
        gate=gate,
        gated=gated,
        hint_effect=hint_effect,
        runbook=_runbook(alert, ruleset, found, gated, incident_class),
        confirm_class=bool(gated) and judged is Severity.HIGH,
        halt_recommended=severity.recommends_halt(incident_class, judged),
        evidence=found,
    )


def _class_because(alert: AlertText, ruleset: Ruleset, found: Evidence, protected: bool) -> tuple[Because, ...]:
    """Every reason for the constitutional class; each alone is enough, and nothing takes it away."""
    reasons = [Because("rule", hit.rule.id, explanation.matched(hit)) for hit in found.hits if _constitutional(hit)]
    if protected:
        service = wording.normalise(alert.service)
        reasons.append(
            Because("service", "", f"service {service} is protected" if service else "its service is protected")
        )
    for key in sorted(alert.labels):
        says = wording.folded(alert.labels[key])
        if wording.folded(key) in ruleset.guards.class_labels and says == IncidentClass.CONSTITUTIONAL:
            reasons.append(Because("label", "", f"label {wording.normalise(key)} says constitutional"))
    return tuple(reasons)


def _constitutional(hit: Hit) -> bool:
    return hit.rule.incident_class is IncidentClass.CONSTITUTIONAL


def _gate(found: Evidence, established: bool) -> tuple[str, tuple[str, ...]]:
    """(why, the rules whose CRITICAL counts as HIGH). CRITICAL asks for a halt, so a phrase without context, or one from a
    drill, is not enough; a service or a label that is constitutional by itself is context."""
    critical = [hit for hit in found.hits if _constitutional(hit) and hit.rule.severity is Severity.CRITICAL]
    if found.drill and critical:
        return "this is said to be a drill", tuple(hit.rule.id for hit in critical)
    gated = tuple(hit.rule.id for hit in critical if not (established or hit.context))
    return ("neither the text nor the service gives it context" if gated else ""), gated


def _guard(alert: AlertText, found: Evidence) -> Because:
    """What makes the alert one to log only. A constitutional hit is not talked away by calling it a drill."""
    if alert.status == "resolved":
        return Because("resolved", "", "the source says that it is over")
    if found.drill and not any(_constitutional(hit) for hit in found.hits):
        return Because("drill", "", found.drill)
    contradicted = alert.severity_hint is not None and alert.severity_hint.rank > GOOD_NEWS_HINT_MAX.rank
    if found.good_news and not contradicted and all(evidence.informs_only(hit) for hit in found.hits):
        return Because("good news", "", f"'{found.good_news}' and nothing in the text says otherwise")
    return Because("", "", "")


def _severity(
    alert: AlertText, found: Evidence, gated: tuple[str, ...], guard: Because
) -> tuple[Severity, Because, str]:
    """(severity, why, what the source's own severity did)."""
    if guard.value:
        return Severity.INFO, Because(Severity.INFO, "", f"because of {guard.value}: {guard.text}"), ""
    counting = [hit for hit in found.hits if not (evidence.informs_only(hit) and found.trouble)]
    if not counting:
        judged, rule, why = DEFAULT_SEVERITY, "", "by default, as no rule decides it"
    else:
        worst = max(counting, key=lambda hit: _counted(hit, gated).rank)
        judged, rule = _counted(worst, gated), worst.rule.id
        why = f"from {rule}{_how(worst, gated, found.drill)}"
        contradicted = alert.severity_hint is not None and alert.severity_hint.rank > GOOD_NEWS_HINT_MAX.rank
        if evidence.informs_only(worst) and not contradicted:
            return judged, Because(judged, rule, why), ""
    raised = severity.raised_by_hint(judged, alert.severity_hint)
    if raised is judged:
        return judged, Because(judged, rule, why), ""
    effect = f"the source calls it {alert.severity_hint}, which raised {judged} to {raised}"
    return raised, Because(raised, rule, f"as {effect}"), effect


def _how(hit: Hit, gated: tuple[str, ...], drill: str) -> str:
    """What a constitutional hit's words were is said with the class already."""
    if not _constitutional(hit):
        return f" ('{hit.words}' in {hit.field})"
    if hit.rule.id in gated:
        return " (as a drill)" if drill else " (without context)"
    return f" (context '{hit.context}')" if hit.context else ""


def _counted(hit: Hit, gated: tuple[str, ...]) -> Severity:
    return Severity.HIGH if hit.rule.id in gated else hit.rule.severity


def _runbook(
    alert: AlertText, ruleset: Ruleset, found: Evidence, gated: tuple[str, ...], incident_class: IncidentClass
) -> RunbookChoice:
    """The most severe, then most specific rule's; an operational one never stands in for a constitutional one."""
    of_service = ruleset.service_runbook(alert.service)

    def preference(hit: Hit) -> tuple[int, int, bool, bool]:
        return (-_counted(hit, gated).rank, -hit.specificity, hit.rule.general, hit.rule.runbook != of_service)

    ranked = sorted((hit for hit in found.hits if hit.rule.runbook), key=preference)
    eligible = [hit for hit in ranked if hit.rule.incident_class is incident_class]
    service_serves = incident_class is IncidentClass.OPERATIONAL or ruleset.protects(alert.service)
    tied: tuple[str, ...] = ()
    if eligible:
        best = eligible[0]
        chosen = Because(best.rule.runbook, best.rule.id, f"from {best.rule.id}")
        equals = [hit.rule.runbook for hit in eligible if preference(hit) == preference(best)]
        tied = tuple(dict.fromkeys(runbook for runbook in equals if runbook != chosen.value))
    elif of_service and service_serves:
        chosen = Because(of_service, "", f"from service {wording.normalise(alert.service)}")
    elif incident_class is IncidentClass.CONSTITUTIONAL:
        chosen = Because(ruleset.fallback_runbook, "", "as no other is constitutional")
    else:
        chosen = Because("", "", "no rule and no service names one")
    others = [hit.rule.runbook for hit in eligible + ranked] + ([of_service] if of_service else [])
    return RunbookChoice(chosen, tuple(dict.fromkeys(other for other in others if other != chosen.value)), tied)


def _input_sha256(alert: AlertText) -> str:
    content = {
        name: getattr(alert, name)
        for name in ("title", "body", "name", "service", "component", "environment", "source", "status", "protected")
    }
    hint = str(alert.severity_hint or "")
    return explanation.digest(content | {"labels": dict(alert.labels), "severity_hint": hint})
