"""What tocsin.yaml declares of services and integrations."""

from __future__ import annotations

from datetime import time

import pytest

from config import declaration
from config.declaration import DeclarationError, Problems
from escalation.oncall.hours import Hours, Window
from incidents import declared
from incidents.declared import DeclaredIntegration, DeclaredService
from incidents.noise import Damping, Grouping
from incidents.routing import Choice
from incidents.severity import IncidentClass, Severity
from incidents.sources.table import SOURCES

KEY_32 = "0123456789abcdef0123456789ABCDEF"
GENIE_KEY = "12345678-9abc-def0-1234-56789abcdef0"

SERVICES = f"""\
policies:
  standard: {{levels: []}}
services:
  checkout:
    policy: standard
    timezone: Europe/Lisbon
    runbook: recovery
    integrations:
      - {{source: pagerduty, key: "{KEY_32}"}}
      - {{source: opsgenie, key: {GENIE_KEY}}}
  event-store:
    policy: standard
    protected: true
"""


def read(text: str, *, sources: tuple[str, ...] = ("pagerduty",)) -> tuple[DeclaredService, ...]:
    document = declaration.read_text(text, env={}, file_name="tocsin.yaml")
    problems = Problems(document)
    found = declared.read_declared(
        document, problems, sources=sources, runbook_ids=("recovery", "backup"), hours=[OFFICE]
    )
    problems.raise_if_any()
    return found


def refusals(text: str) -> list[str]:
    with pytest.raises(DeclarationError) as refused:
        read(text)
    return [str(problem) for problem in refused.value.problems]


def changed(old: str, new: str) -> str:
    assert SERVICES.count(old) == 1, f"{old!r} stands {SERVICES.count(old)} times among the services"
    return SERVICES.replace(old, new)


# What is read


def test_a_service_is_read_with_its_integrations() -> None:
    integrations = (DeclaredIntegration("pagerduty", KEY_32), DeclaredIntegration("opsgenie", GENIE_KEY))
    assert read(SERVICES)[0] == DeclaredService(
        "checkout", "standard", False, "recovery", "Europe/Lisbon", integrations
    )


def test_a_service_may_be_protected_and_without_integrations() -> None:
    assert read(SERVICES)[1] == DeclaredService("event-store", "standard", True, "", "UTC", ())


CHOICES = """\
    holidays: de-be
    policies:
      - {class: constitutional, policy: keepers}
      - {severity: [low, MEDIUM], during: office, policy: gentle}
"""
OFFICE = Hours("office", "UTC", Window(time(9), time(18)))


def with_choices(old: str = "", new: str = "") -> str:
    assert not old or CHOICES.count(old) == 1
    text = changed(
        "  standard: {levels: []}", "  standard: {levels: []}\n  keepers: {levels: []}\n  gentle: {levels: []}"
    )
    return text.replace("    timezone: Europe/Lisbon\n", CHOICES.replace(old, new) if old else CHOICES)


def test_a_service_may_choose_its_policy_by_class_severity_and_hours() -> None:
    checkout = read(with_choices())[0]
    assert checkout.holidays == "DE-BE"
    assert checkout.choices == (
        Choice("keepers", IncidentClass.CONSTITUTIONAL),
        Choice("gentle", severities=(Severity.LOW, Severity.MEDIUM), during=OFFICE),
    )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("class: constitutional, ", "", "line 10, services.checkout.policies[0].policy: fits always"),
        (
            "constitutional",
            "operative",
            'line 10, services.checkout.policies[0].class: there is no class "operative"; did you mean "operational"?',
        ),
        ("low", "lo", 'line 11, services.checkout.policies[1].severity[0]: there is no severity "lo"; '),
        ("office", "night", 'line 11, services.checkout.policies[1].during: no hours "night" are declared; '),
        ("gentle", "gentl", 'line 11, services.checkout.policies[1].policy: there is no policy "gentl"; '),
        ("de-be", "de-xx", 'line 8, services.checkout.holidays: DE has no region "XX"; '),
    ],
)
def test_a_choice_that_cannot_be_made_is_refused(old: str, new: str, problem: str) -> None:
    assert [found[: len(problem)] for found in refusals(with_choices(old, new))] == [problem]


def test_the_emergency_runbook_of_a_level_must_be_there() -> None:
    text = changed("{levels: []}", "{levels: [{level: 4, runbook: recover}]}")
    assert refusals(text) == [
        'line 2, policies.standard.levels[0].runbook: there is no runbook "recover"; did you mean "recovery"?'
    ]


NOISE = """\
    group: {within: 5m, by: [cluster, alertname]}
    flap: {toggles: 4, within: 30m}
"""


def with_noise(old: str = "", new: str = "") -> str:
    assert not old or NOISE.count(old) == 1
    return changed("    timezone: Europe/Lisbon\n", NOISE.replace(old, new) if old else NOISE)


def test_a_service_may_group_its_alerts_and_damp_what_flaps() -> None:
    checkout, store = read(with_noise())
    assert (checkout.group, checkout.flap) == (Grouping(300, ("cluster", "alertname")), Damping(4, 1800))
    assert (store.group, store.flap) == (None, None)
    assert read(with_noise(", by: [cluster, alertname]"))[0].group == Grouping(300)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("within: 5m", "within: 9s", "line 6, services.checkout.group.within: must be a duration from 10s to 1d, "),
        ("within: 5m", "within: 25h", "line 6, services.checkout.group.within: must be a duration from 10s to 1d, "),
        ("within: 5m, ", "", "line 6, services.checkout.group.within: is missing"),
        ("cluster, alertname", "a, a", 'line 6, services.checkout.group.by[1]: "a" stands twice'),
        ("[cluster, alertname]", "cluster", "line 6, services.checkout.group.by: must be a list"),
        ("toggles: 4", "toggles: 0", "line 7, services.checkout.flap.toggles: must be a whole number from 1 to 50"),
        ("toggles: 4, ", "", "line 7, services.checkout.flap.toggles: is missing"),
        ("within: 30m", "within: 30s", "line 7, services.checkout.flap.within: must be a duration from 1m to 1d, "),
    ],
)
def test_what_cannot_hold_noise_down_is_refused_by_its_field(old: str, new: str, problem: str) -> None:
    assert [found[: len(problem)] for found in refusals(with_noise(old, new))] == [problem]


def test_a_file_may_declare_no_services() -> None:
    assert read("policies: {}\n") == ()


def test_every_source_that_can_be_received_may_be_declared() -> None:
    assert set(SOURCES) <= declared.SOURCES
    assert read(changed("opsgenie", "made-here"), sources=("made-here",))[0].integrations[1].source == "made-here"


@pytest.mark.parametrize("key", ["a" * 16, "A-_9" * 32])
def test_keys_of_16_to_128_characters_are_accepted(key: str) -> None:
    assert read(changed(GENIE_KEY, key))[0].integrations[1].key == key


def test_a_key_of_digits_alone_is_read_as_written() -> None:
    assert read(changed(f'"{KEY_32}"', "00001234000012340000123400001234"))[0].integrations[0].key.startswith("0000123")


# What is refused


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "    protected: true",
            "    protected: 1",
            "line 13, services.event-store.protected: must be true or false",
        ),
        (
            "    timezone: Europe/Lisbon",
            "    timezone: Europe/Lisboa",
            'line 6, services.checkout.timezone: there is no time zone "Europe/Lisboa"; did you mean "Europe/Lisbon"?',
        ),
        (
            "    runbook: recovery",
            "    runbook: recover",
            'line 7, services.checkout.runbook: there is no runbook "recover"; did you mean "recovery"?',
        ),
        (
            "source: pagerduty",
            "source: pager-duty",
            'line 9, services.checkout.integrations[0].source: no such value "pager-duty"; did you mean "pagerduty"?',
        ),
        ("source: opsgenie, ", "", "line 10, services.checkout.integrations[1].source: is missing"),
        (f", key: {GENIE_KEY}", "", "line 10, services.checkout.integrations[1].key: is missing"),
        (
            "  event-store:",
            "  Event Store:",
            "line 11, services.Event Store: a name has up to 64 lower-case letters, digits and . _ -",
        ),
    ],
)
def test_a_problem_is_named_by_line_and_field(old: str, new: str, problem: str) -> None:
    assert refusals(changed(old, new)) == [problem]


def test_a_policy_must_be_declared() -> None:
    problems = refusals(SERVICES.replace("policy: standard", "policy: standart"))
    said = 'there is no policy "standart"; did you mean "standard"?'
    assert problems == [f"line 5, services.checkout.policy: {said}", f"line 12, services.event-store.policy: {said}"]
    assert refusals("services: {checkout: {protected: true}}") == ["line 1, services.checkout.policy: is missing"]


@pytest.mark.parametrize(
    ("old", "key", "said"),
    [
        (f'"{KEY_32}"', "a" * 31, "a key for pagerduty has exactly 32"),
        (f'"{KEY_32}"', "a" * 33, "a key for pagerduty has exactly 32"),
        (f'"{KEY_32}"', "a" * 31 + "/", "a key for pagerduty has exactly 32"),
        (GENIE_KEY, "a" * 15, "a key has 16 to 128"),
        (GENIE_KEY, "a" * 129, "a key has 16 to 128"),
        (GENIE_KEY, "with a space in it all", "a key has 16 to 128"),
        (GENIE_KEY, "ключключключключ", "a key has 16 to 128"),
        (GENIE_KEY, "a" * 300, "is longer than"),
    ],
)
def test_a_key_that_no_sender_could_use_is_refused_and_not_quoted(old: str, key: str, said: str) -> None:
    (problem,) = refusals(changed(old, key))
    assert said in problem
    assert key not in problem


@pytest.mark.parametrize("owner", ["checkout", "event-store"])
def test_two_integrations_cannot_have_one_key(owner: str) -> None:
    line = f"      - {{source: generic, key: {GENIE_KEY}}}\n"
    if owner == "checkout":
        text = changed("  event-store:\n", line + "  event-store:\n")
    else:
        text = SERVICES + "    integrations:\n" + line
    (problem,) = refusals(text)
    assert problem.endswith("key: is already the key of an integration of checkout; each needs one of its own")
    assert GENIE_KEY not in problem


def test_there_is_a_limit_to_the_integrations_of_a_service() -> None:
    many = "".join(f"      - {{source: generic, key: {'k' * 16}{number:04}}}\n" for number in range(101))
    assert refusals(SERVICES + "    integrations:\n" + many) == [
        "line 14, services.event-store.integrations: has more than 100 entries"
    ]


def test_a_key_does_not_show_when_an_integration_is_printed() -> None:
    assert repr(read(SERVICES)[0].integrations[1]) == "DeclaredIntegration(opsgenie …def0)"


# Options of integrations

TOPIC = "arn:aws:sns:eu-west-1:123456789012:paging"


def integration(options: str) -> str:
    return changed(f"source: opsgenie, key: {GENIE_KEY}", f"key: {GENIE_KEY}, {options}")


def test_an_integration_may_have_a_secret_a_topic_or_a_mapping() -> None:
    assert read(integration("source: sentry, secret: s3cret-enough"))[0].integrations[1].secret == "s3cret-enough"
    assert read(integration(f'source: cloudwatch, topic: "{TOPIC}"'))[0].integrations[1].topic == TOPIC
    mapped = read(integration("source: generic, map: {dedup_key: rule.id, title: rule.name}"))[0].integrations[1]
    assert mapped.mapping == (("title", "rule.name"), ("dedup_key", "rule.id"))
    assert "s3cret" not in repr(read(integration("source: sentry, secret: s3cret-enough")))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("source: sentry, secret: short", "has fewer than 8 characters"),
        ("source: opsgenie, secret: s3cret-enough", "cannot be checked for opsgenie"),
        ("source: cloudwatch, secret: s3cret-enough", "say `topic`"),
        ("source: azure-monitor, secret: s3cret-enough", "can send no header"),
        (f'source: sentry, topic: "{TOPIC}"', "is for cloudwatch alone"),
        ("source: cloudwatch, topic: paging", "is not the ARN of an SNS topic"),
        ("source: sentry, map: {title: a}", "is for generic alone"),
        ('source: generic, map: {title: "a."}', "map.title: is no JMESPath expression"),
    ],
)
def test_an_option_that_cannot_work_is_refused_and_no_secret_is_told(options: str, problem: str) -> None:
    found = "\n".join(refusals(integration(options)))
    assert problem in found
    assert "s3cret-enough" not in found
