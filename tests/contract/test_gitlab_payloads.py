"""What GitLab sends becomes the right alerts."""

from datetime import UTC, datetime

from incidents.sources import gitlab
from incidents.sources.base import AlertStatus
from tests.contract import recorded
from tests.contract.recorded import NOW, kept, one


def test_a_pipeline_fails_and_passes_under_one_key_of_its_branch() -> None:
    failed, passed = one("gitlab", "pipeline_failed.json"), one("gitlab", "pipeline_passed.json")
    assert failed.dedup_key == passed.dedup_key == "acme/shop@main"
    assert (failed.status, passed.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert failed.title == "Pipeline for main failed"
    assert failed.body == "Failed: unit\n\nRound amounts"  # lint may fail
    assert failed.started_at == datetime(2026, 11, 20, 7, 23, 28, tzinfo=UTC)
    assert "s3cret" not in str(failed.raw)


def test_a_job_fails_and_one_that_may_asks_for_nobody() -> None:
    assert one("gitlab", "job_failed.json").title == "deploy failed in acme/shop"
    assert gitlab.parse(kept("gitlab", "job_failed.json") | {"build_allow_failure": True}, now=NOW) == []


def test_other_events_ask_for_nobody() -> None:
    assert gitlab.parse(kept("gitlab", "push.json"), now=NOW) == []


def test_something_elses_payload_is_refused() -> None:
    assert recorded.refused("gitlab", {"hello": "world"}) == "object_kind"


@recorded.needed
def test_recorded_payloads_are_read_as_their_index_says() -> None:
    otherwise: dict[str, recorded.Read | None] = {
        **dict.fromkeys(
            (
                "ping.json",
                "workflow_job.in_progress.json",
                "workflow_run.completed.failure.json",
                "workflow_run.requested.json",
            ),
            None,
        ),
    }
    assert recorded.differences("gitlab", "github-actions", otherwise) == {}
