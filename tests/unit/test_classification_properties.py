"""What must hold for every alert text, tried on made-up texts and on combinations of the examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rfc8785
import yaml
from hypothesis import given
from hypothesis import strategies as st

from incidents import classification, rules
from incidents.classification import AlertText, Classification
from incidents.severity import IncidentClass, Severity
from tests.unit.rule_samples import RULES

SHIPPED = rules.load(RULES)
AGAIN = rules.load(RULES)
UNKNOWN = "some-service"  # no rule says anything of it


def judged(title: str, **fields: Any) -> Classification:
    return classification.classify(AlertText(title, **fields), SHIPPED)


def of_the_examples() -> list[str]:
    sections = yaml.safe_load(Path(__file__).with_name("classification_examples.yaml").read_text(encoding="utf-8"))
    return [entry["text"] for entries in sections.values() for entry in entries]


TEXTS = of_the_examples()
ALONE = {text: judged(text, service=UNKNOWN) for text in TEXTS}
CONSTITUTIONAL = [text for text in TEXTS if ALONE[text].incident_class is IncidentClass.CONSTITUTIONAL]
OPERATIONAL = [  # a drill does take CRITICAL away
    text
    for text in TEXTS
    if ALONE[text].incident_class is IncidentClass.OPERATIONAL and ALONE[text].record["guard"]["value"] != "drill"
]
GOOD_NEWS = [text for text in TEXTS if ALONE[text].record["guard"]["value"] == "good news"]
TROUBLE = [text for text in TEXTS if ALONE[text].record["hits"] and ALONE[text].severity is not Severity.INFO]

# Words that mean something to the rules, in any company: nearer to an accident than arbitrary characters are.
MEANINGFUL = st.lists(
    st.sampled_from(
        sorted({word for text in TEXTS for word in text.split()} | {"no", "not", "0", ",", ".", ":", "\n"})
    ),
    max_size=25,
).map(" ".join)
ANY_CHARACTERS = st.text(st.characters(exclude_categories=()), max_size=80)  # lone surrogates too
ANY_TEXT = MEANINGFUL | ANY_CHARACTERS
HINTS = st.none() | st.sampled_from(list(Severity))
SERVICES = st.sampled_from(["", UNKNOWN, "event-store", "observer", "halt"]) | ANY_CHARACTERS
LABELS = st.dictionaries(st.sampled_from(["class", "drill", "team"]) | ANY_CHARACTERS, ANY_CHARACTERS, max_size=3)
ALERTS = st.builds(
    AlertText,
    title=ANY_TEXT,
    body=ANY_TEXT,
    name=ANY_TEXT,
    service=SERVICES,
    component=ANY_TEXT,
    labels=LABELS,
    status=st.sampled_from(["firing", "resolved", "acknowledged"]),
    severity_hint=HINTS,
    protected=st.booleans(),
)


@given(ALERTS)
def test_any_text_is_judged_and_the_same_alert_gives_the_same_bytes(alert: AlertText) -> None:
    first = rfc8785.dumps(dict(classification.classify(alert, SHIPPED).record))
    assert first == rfc8785.dumps(dict(classification.classify(alert, SHIPPED).record))
    assert first == rfc8785.dumps(dict(classification.classify(alert, AGAIN).record))


@given(ALERTS)
def test_a_halt_is_recommended_exactly_for_constitutional_critical(alert: AlertText) -> None:
    found = classification.classify(alert, SHIPPED)
    critical = found.incident_class is IncidentClass.CONSTITUTIONAL and found.severity is Severity.CRITICAL
    assert found.halt_recommended is critical
    assert not (found.confirm_class and critical)
    assert found.sentence.startswith(("Constitutional because ", "Operational because "))


@given(ANY_TEXT, ANY_TEXT, LABELS)
def test_whatever_a_protected_service_says_is_constitutional(title: str, body: str, labels: dict[str, str]) -> None:
    for fields in ({"service": "keeper"}, {"service": UNKNOWN, "protected": True}):
        assert judged(title, body=body, labels=labels, **fields).incident_class is IncidentClass.CONSTITUTIONAL
    labelled = judged(title, body=body, labels=labels | {"tocsin_class": "constitutional"})
    assert labelled.incident_class is IncidentClass.CONSTITUTIONAL


@given(ANY_TEXT, SERVICES, HINTS)
def test_a_hint_never_lowers_and_never_raises_above_high(title: str, service: str, hint: Severity | None) -> None:
    without = judged(title, service=service).severity
    with_hint = judged(title, service=service, severity_hint=hint).severity
    assert without.rank <= with_hint.rank <= max(without.rank, Severity.HIGH.rank)


@given(
    st.sampled_from(CONSTITUTIONAL),
    st.sampled_from(OPERATIONAL),
    st.sampled_from(["{con}. {ops}", "{con}; {ops}", "{con}, {ops}", "{con}\n{ops}", "{ops}. {con}", "{ops}; {con}"]),
)
def test_operational_text_beside_it_never_takes_the_constitutional_class_or_severity_away(
    constitutional: str, operational: str, joined: str
) -> None:
    alone = ALONE[constitutional]
    for fields in (
        {"title": joined.format(con=constitutional, ops=operational)},
        {"title": constitutional, "body": operational},
        {"title": operational, "body": constitutional},
    ):
        both = judged(**fields, service=UNKNOWN)
        assert both.incident_class is IncidentClass.CONSTITUTIONAL
        assert both.severity.rank >= alone.severity.rank


@given(
    st.sampled_from(GOOD_NEWS),
    st.sampled_from(TROUBLE),
    st.sampled_from(
        ["{good}. {bad}", "{good}; {bad}", "{good} - {bad}", "{good}, but {bad}", "{bad}. {good}", "{bad}; {good}"]
    ),
    st.sampled_from([UNKNOWN, "event-store"]),
)
def test_a_failure_beside_it_always_defeats_good_news(good: str, bad: str, joined: str, service: str) -> None:
    assert judged(joined.format(good=good, bad=bad), service=service).severity is not Severity.INFO
    assert judged(good, body=bad, service=service).severity is not Severity.INFO
    assert judged(bad, body=good, service=service).severity is not Severity.INFO


FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
UNSEEN = "\u00ad\u200b\u200c\u200d\u2060\ufeff\ufe0f"


@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False))
def test_letters_in_disguise_change_nothing(text: str, chance: Any) -> None:
    plain = ALONE[text]
    cut = [character + (chance.choice(UNSEEN) if chance.random() < 0.3 else "") for character in text]
    for disguised in (text.translate(FULL_WIDTH), "".join(cut), text.replace(" ", "\u00a0")):
        found = judged(disguised, service=UNKNOWN)
        assert found.record["hits"] == plain.record["hits"]
        assert (found.incident_class, found.severity) == (plain.incident_class, plain.severity)


@given(st.sampled_from(TEXTS))
def test_case_changes_nothing_in_ordinary_words(text: str) -> None:
    ordinary = " ".join(word for word in text.split() if word[1:].islower() or not word.isalpha())
    assert judged(ordinary.lower(), service=UNKNOWN).severity is judged(ordinary.upper(), service=UNKNOWN).severity
