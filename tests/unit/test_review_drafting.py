from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from incidents.phases import CHECKLISTS, Hold
from incidents.reviews import drafting, export, follow_up, sections
from incidents.reviews.record import AlertFact, OverrideFact, SeverityChange, Written
from tests.unit.review_records import after, bare, constitutional, drafted, operational, part


def test_an_operational_review_has_sections_1_to_25_in_order_even_if_nothing_is_known() -> None:
    numbers = list(dict.fromkeys(p["number"] for p in drafting.draft(bare())["sections"]))
    assert numbers == [str(n) for n in range(1, 26)]


def test_a_constitutional_review_has_c1_to_c9_after_them() -> None:
    review = drafting.draft(constitutional())
    numbers = list(dict.fromkeys(p["number"] for p in review["sections"]))
    assert numbers[25:] == [f"C{n}" for n in range(1, 10)]
    assert review["governance"]["references"] == ["FR21", "ADR-10"]


def test_an_operational_review_has_no_governance() -> None:
    assert drafting.draft(operational())["governance"] is None


def test_every_section_is_drafted_or_asked_of_people_and_every_key_is_its_own() -> None:
    every = sections.for_class("constitutional")
    assert all(section.drafted or section.written_by_people for section in every)
    assert len({section.key for section in every}) == len(every) == 34


def test_what_people_have_not_written_is_empty_with_owner_due_date_and_prompts() -> None:
    found = part(drafting.draft(operational()), "impact", "human")
    assert (found["status"], found["markdown"], found["owner"]) == ("empty", "", "Ana Lima")
    assert found["due"] == "2026-11-03T04:32:05.000000Z"
    assert found["prompts"]


def test_blank_text_does_not_count_as_written() -> None:
    record = operational(sections_written={"impact": Written("Ana Lima", " \n\t", after(90))})
    assert part(drafting.draft(record), "impact", "human")["status"] == "empty"


def test_what_people_wrote_and_declined_is_kept_with_its_author() -> None:
    record = operational(
        sections_written={
            "impact": Written("Ana Lima", "312 users.", after(90)),
            "lucky": Written("Bo Chen", "Nothing came close.", after(95), declined=True),
        }
    )
    review = drafting.draft(record)
    assert part(review, "impact", "human")["status"] == "written"
    assert part(review, "impact", "human")["markdown"] == "312 users."
    assert part(review, "lucky", "human")["author"] == "Bo Chen"
    assert part(review, "lucky", "human")["status"] == "declined"


def test_text_under_a_section_the_template_no_longer_has_is_not_dropped() -> None:
    record = operational(sections_written={"five-whys": Written("Ana Lima", "Why?", after(90))})
    kept = drafting.draft(record)["sections"][-1]
    assert (kept["markdown"], kept["author"]) == ("Why?", "Ana Lima")
    assert "five-whys" in kept["heading"]


def test_the_phases_table_has_the_four_targets_with_actual_and_verdict() -> None:
    text = drafted(operational(), "phases")
    assert "| Immediate | 0-5 min | 6 min 00 s, at 2026-11-02 03:18:05 +00:00 (entry 6) | late |" in text
    assert "| Containment | 5-15 min | 12 min 00 s" in text
    assert "| Recovery | 15-60 min | 1 h 15 min" in text
    assert "| Post-incident | 1-24 h after resolution |" in text


def test_a_phase_under_a_hold_reads_held_and_not_late() -> None:
    recovery = next(line for line in drafted(constitutional(), "phases").splitlines() if "15-60" in line)
    assert "| held | held 48 h 00 min by FR21 |" in recovery
    assert "late" not in recovery


def test_ticks_of_the_checklists_name_who_and_the_rest_is_not_ticked() -> None:
    text = drafted(operational(), "phases")
    assert "Evaluate system impact: Bo Chen, 2026-11-02 03:19:05 +00:00 (entry 6) | Identify affected" in text
    assert all(item.text in text for items in CHECKLISTS.values() for item in items)


def test_each_page_shows_person_level_channel_times_answer_and_attempts() -> None:
    text = drafted(operational(), "paging")
    assert (
        "| 2 | Bo Chen | SMS | 2026-11-02 03:17:11 +00:00 | 2026-11-02 03:17:17 +00:00 | acknowledged | delivered "
        "| 1: 03:17:11 sent |"
    ) in text
    assert "| 1 | Ana Lima | phone call | 2026-11-02 03:15:11 +00:00 | 2026-11-02 03:15:17 +00:00 | no answer |" in text
    assert "| failed | 2: 03:12:11 failed (30003 unreachable); 03:13:05 failed (30003 unreachable) |" in text


def test_pages_nobody_received_are_called_out_and_a_cancelled_one_is_not_among_them() -> None:
    text = drafted(operational(), "paging")
    assert "> **Pages nobody received: 1 of 5.**" in text
    assert "- Ana Lima at level 1 by SMS: failed" in text
    assert "- Mia Berg" not in text


def test_a_person_who_answered_by_another_channel_is_not_called_silent() -> None:
    assert "| 2 | Bo Chen | Slack | 2026-11-02 03:17:06 +00:00 | no receipt | answered by SMS |" in drafted(
        operational(), "paging"
    )
    badly = drafted(operational(), "went-badly")
    assert "Ana Lima at level 1 by phone call got no answer" in badly
    assert "Bo Chen" not in badly


def test_time_to_acknowledge_is_told_for_the_level_that_was_answered() -> None:
    text = drafted(operational(), "paging")
    assert "| 2 | 2026-11-02 03:17:05 +00:00 (entry 5) | Bo Chen | 48 s |" in text
    assert "| 1 | 2026-11-02 03:12:05 +00:00 (entry 4) | Ana Lima | no answer at this level |" in text
    assert "Mia Berg | nothing was sent |" in text


def test_facts_cite_the_timeline_entry_they_rest_on() -> None:
    text = drafted(operational(), "summary")
    assert "at 2026-11-02 03:12:05 +00:00 (entry 1)" in text
    assert "acknowledged by Bo Chen after 6 min 00 s (entry 6)" in text
    assert "resolved by Bo Chen after 1 h 20 min (entry 10)" in text


def test_a_fact_without_an_entry_cites_none() -> None:
    assert "entry" not in drafted(operational(timeline=()), "summary")


def test_an_entry_written_long_after_the_event_is_marked_as_added_later() -> None:
    lines = drafted(operational(), "timeline").splitlines()
    assert "(added later: recorded 2026-11-02 04:49:05 +00:00)" in next(
        line for line in lines if line.startswith("| 11 ")
    )
    assert sum("added later" in line for line in lines) == 1


def test_the_starred_note_is_marked_on_the_timeline_and_offered_as_a_lesson() -> None:
    assert "★ Deploy 2.4.1 halved" in drafted(operational(), "timeline")
    assert "Deploy 2.4.1 halved the connection pool (entry 7)" in drafted(operational(), "lessons")


def test_a_source_that_resolved_the_incident_is_not_listed_as_a_responder() -> None:
    text = drafted(operational(resolved_by="pagerduty"), "responders")
    assert "pagerduty" not in text
    assert all(name in text for name in ("Ana Lima", "Bo Chen", "Mia Berg"))


def test_time_at_each_severity_follows_its_changes() -> None:
    changes = (SeverityChange(after(0), "MEDIUM", 2), SeverityChange(after(30), "HIGH", 5))
    text = drafted(operational(severity_initial="MEDIUM", severity_changes=changes), "impact")
    assert "| MEDIUM | 2026-11-02 03:12:05 +00:00 (entry 2) | 30 min 00 s |" in text
    assert "| HIGH | 2026-11-02 03:42:05 +00:00 (entry 5) | 50 min 00 s |" in text


def test_time_at_each_severity_is_not_known_if_its_changes_are_not() -> None:
    assert "Time at each severity: not known" in drafted(operational(severity_initial="LOW"), "impact")


def test_counts_nobody_has_taken_are_not_known_and_never_zero() -> None:
    record = bare()
    assert "| Alerts | not known |" in drafted(record, "impact")
    assert "Responder-minutes: not known." in drafted(record, "evidence")
    assert "not known" in drafted(record, "recurrence")
    assert "| not known |" in drafted(record, "integrity")


def test_an_action_without_a_date_is_due_by_the_default_and_overdue_after_it() -> None:
    text = drafted(operational(generated_at=datetime(2026, 11, 25, tzinfo=UTC)), "actions")
    assert "| Bo Chen | 2026-11-20 | open, overdue |" in text
    assert "| nobody yet | 2026-12-02 | open |" in text


def test_overdue_recertification_and_running_holds_are_risks() -> None:
    running = Hold("breach clock", "FR30", "Kim Osei", after(20), after(10_000))
    text = drafted(constitutional(holds=(running,)), "risks")
    assert "recertification overdue" in text
    assert "hold by FR30 is still running" in text


def test_an_override_shows_before_after_reason_and_approvers() -> None:
    lowered = OverrideFact(
        "severity", "CRITICAL", "HIGH", "one shard only", "Bo Chen", ("Kim Osei", "Kai Ito"), after(9), 12
    )
    text = drafted(operational(overrides=(lowered,)), "classification")
    assert "(entry 12) | severity: CRITICAL to HIGH | one shard only | Bo Chen | Kim Osei, Kai Ito |" in text


def test_what_matched_and_what_was_not_counted_are_tables_of_rule_field_and_words() -> None:
    explained = {
        "sentence": "Operational because nothing in it is constitutional; HIGH from O01.",
        "hits": [{"rule": "O01", "title": "Observer API down", "field": "title", "words": "observer api down", "class": "operational", "counted_as": "HIGH"}],
        "suppressed": [{"rule": "K02", "field": "body", "words": "signature failed", "by": "X1", "because": "webhook"}],
    }  # fmt: skip
    text = drafted(operational(classification=explained), "classification")
    assert "| O01 | Observer API down | title | observer api down | operational | HIGH |" in text
    assert "| K02 | body | signature failed | X1 | webhook |" in text
    assert "Rules that matched: O01." in drafted(operational(classification=explained), "detection")


def test_dissent_is_quoted_verbatim_beside_the_quorum() -> None:
    text = drafted(constitutional(), "approvals")
    assert "| 2 of 2 | approved |" in text
    assert "Kai Ito (keeper) decline: “I want the witnesses' copy compared first”" in text


def test_whoever_took_part_cannot_be_the_independent_reviewer() -> None:
    text = drafted(constitutional(), "independent-review")
    assert all(name in text for name in ("Kim Osei", "Kai Ito", "Bo Chen"))


def test_constitutional_metrics_are_not_known_until_they_are_given() -> None:
    given = constitutional(constitutional_metrics={follow_up.CONSTITUTIONAL_METRICS[0]: ("2", None)})
    text = drafted(given, "constitutional-metrics")
    assert "| Breach count | 2 | not known |" in text
    assert text.count("| not known | not known |") == 3


def test_the_document_is_json_and_equal_for_equal_records() -> None:
    for make in (operational, constitutional, bare):
        review = drafting.draft(make())
        assert json.loads(json.dumps(review)) == review
        assert drafting.draft(replace(make())) == review


def test_the_order_of_keys_in_the_explanation_and_the_verdict_does_not_change_the_text() -> None:
    one = {"hits": [{"rule": "O01", "field": "title", "words": "down"}], "sentence": "Operational."}
    other = {"sentence": "Operational.", "hits": [{"words": "down", "field": "title", "rule": "O01"}]}
    for key in ("classification", "detection"):
        assert drafted(operational(classification=one), key) == drafted(operational(classification=other), key)
    assert "| O01 | – | title | down | – | – |" in drafted(operational(classification=other), "classification")
    turned = dict(sorted(operational().integrity.items(), reverse=True))
    assert drafted(operational(integrity=turned), "integrity") == drafted(operational(), "integrity")


def test_a_record_of_nothing_but_its_opening_drafts_and_exports() -> None:
    text = export.to_markdown(drafting.draft(bare(incident_class="constitutional")))
    assert "nobody was paged" in text
    assert "NOT YET WRITTEN (owner: nobody yet, due: counted from resolution)" in text


def test_the_first_alert_is_the_earliest_whatever_their_order() -> None:
    alerts = (
        AlertFact("second", "zabbix", "b", after(4), after(4)),
        AlertFact("first", "grafana", "a", after(1), after(1)),
    )
    assert drafted(operational(alerts=alerts), "detection").startswith("First heard from grafana")


@pytest.mark.parametrize(("count", "says"), [(1, "1, received once"), (3, "1, received 3 times")])
def test_how_often_an_alert_came_is_told_as_people_say_it(count: int, says: str) -> None:
    (alert,) = operational().alerts
    assert f"| Alerts | {says} |" in drafted(operational(alerts=(replace(alert, count=count),)), "impact")
