from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from incidents.reviews import drafting
from incidents.reviews.record import PageFact
from tests.unit.review_records import after, bare, drafted, operational


def test_the_four_durations_are_measured_as_defined() -> None:
    review = drafting.draft(operational(started_at=after(-5)))
    assert review["metrics"] == {"ttd": 300, "tta": 168, "ttm": 720, "ttr": 4800, "tta_from": "delivered"}


def test_a_duration_with_a_missing_input_is_null_and_reads_not_known() -> None:
    review = drafting.draft(bare())
    assert review["metrics"] == {"ttd": None, "tta": None, "ttm": None, "ttr": None, "tta_from": None}
    assert drafted(bare(), "control").count("| not known |") >= 4


def test_an_acknowledgement_before_any_delivery_receipt_has_no_time_to_acknowledge() -> None:
    page = PageFact("Bo Chen", "sms", 1, "delivered", after(0), after(0), after(7), acknowledged=True)
    assert drafting.draft(operational(pages=(page,)))["metrics"]["tta"] is None


SLACK_ALONE = (
    PageFact("Ana Lima", "slack", 1, "sent", after(0), after(0.1)),
    PageFact("Bo Chen", "slack", 1, "sent", after(0), after(1), acknowledged=True),
)


def test_where_slack_alone_paged_the_time_to_acknowledge_counts_from_handing_over_and_says_so() -> None:
    record = operational(pages=SLACK_ALONE)
    metrics = drafting.draft(record)["metrics"]
    assert (metrics["tta"], metrics["tta_from"]) == (354, "sent")
    said = "5 min 54 s, counted from handing over by Slack, which reports no delivery"
    assert said in drafted(record, "control") and said in drafted(record, "paging")


def test_a_message_whose_receipt_never_came_is_not_taken_to_have_arrived() -> None:
    by_sms = PageFact("Bo Chen", "sms", 1, "sent", after(0), after(0.1), acknowledged=True)
    assert drafting.draft(operational(pages=(by_sms,)))["metrics"]["tta"] is None
    late = PageFact("Bo Chen", "slack", 1, "sent", after(6), after(7))
    assert drafting.draft(operational(pages=(by_sms, late)))["metrics"]["tta"] is None


def test_a_receipt_goes_before_what_was_only_handed_over() -> None:
    with_receipt = PageFact("Bo Chen", "sms", 2, "delivered", after(5), after(5.1), after(5.2), acknowledged=True)
    metrics = drafting.draft(operational(pages=(*SLACK_ALONE, with_receipt)))["metrics"]
    assert (metrics["tta"], metrics["tta_from"]) == (48, "delivered")


def test_the_definitions_of_the_durations_are_printed() -> None:
    text = drafted(operational(), "control")
    assert all(words in text for words in ("detected − started", "first page delivered", "resolved − detected"))


@pytest.mark.parametrize(
    ("severity", "meeting_on", "actions_on"),
    [("CRITICAL", date(2026, 11, 5), date(2026, 11, 17)), ("HIGH", date(2026, 11, 9), date(2026, 12, 2))],
)
def test_the_meeting_is_due_in_3_days_or_5_business_days_and_actions_in_15_or_30_days(
    severity: str, meeting_on: date, actions_on: date
) -> None:
    dates = drafting.due_dates(operational(severity_peak=severity))
    assert dates.review_at == datetime(2026, 11, 3, 4, 32, 5, tzinfo=UTC)
    assert (dates.meeting_on, dates.actions_on) == (meeting_on, actions_on)


def test_a_weekend_is_no_business_day() -> None:
    friday, saturday = datetime(2026, 11, 6, 12, tzinfo=UTC), datetime(2026, 11, 7, 12, tzinfo=UTC)
    assert drafting.due_dates(operational(resolved_at=friday)).meeting_on == date(2026, 11, 13)
    assert drafting.due_dates(operational(resolved_at=saturday)).meeting_on == date(2026, 11, 13)


def test_the_due_time_of_the_record_wins_and_nothing_is_due_before_resolution() -> None:
    assert drafting.due_dates(operational(review_due_at=after(2000))).review_at == after(2000)
    assert drafting.due_dates(bare()) == drafting.DueDates(None, None, None)
