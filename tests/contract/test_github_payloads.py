"""What GitHub sends becomes the right alerts."""

from datetime import UTC, datetime

from incidents.sources import github
from incidents.sources.base import AlertStatus
from tests.contract import recorded
from tests.contract.recorded import NOW, kept, one


def test_a_workflow_fails_and_passes_under_one_key_of_its_branch() -> None:
    failed = one("github", "workflow_run.completed.failure.json")
    payload = kept("github", "workflow_run.completed.failure.json")
    payload["workflow_run"]["conclusion"] = "success"
    (passed,) = github.parse(payload, now=NOW)
    assert failed.dedup_key == passed.dedup_key == "octo-org/octo-repo/2823525/master"
    assert (failed.status, passed.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert failed.title == "test failed on master"
    assert failed.body.startswith("ci(action): update actions/setup-node digest")
    assert failed.service == "octo-org/octo-repo"
    assert failed.url == "https://github.com/octo-org/octo-repo/actions/runs/289782451"
    assert failed.started_at == datetime(2020, 10, 5, 16, 33, 49, tzinfo=UTC)


def test_a_job_says_which_step_failed() -> None:
    alert = one("github", "workflow_job.completed.failure.json")
    assert alert.title == "CodeQL / linters failed on main"
    assert alert.body.startswith("Failed: Run yarn run format-check")


def test_a_form_is_read_like_json() -> None:
    assert one("github", "workflow_run.form.txt").title == "CI failed on main"


def test_what_is_not_completed_or_was_cancelled_asks_for_nobody() -> None:
    payload = kept("github", "workflow_run.completed.failure.json")
    assert github.parse(payload | {"action": "requested"}, now=NOW) == []
    payload["workflow_run"]["conclusion"] = "cancelled"
    assert github.parse(payload, now=NOW) == []


def test_a_ping_and_other_events_ask_for_nobody() -> None:
    assert github.parse(kept("github", "ping.json"), now=NOW) == []
    assert github.parse({"action": "opened", "repository": {}, "sender": {}}, now=NOW) == []


def test_something_elses_payload_is_refused() -> None:
    assert recorded.refused("github", {"hello": "world"}) == "repository"


@recorded.needed
def test_recorded_payloads_are_read_as_their_index_says() -> None:
    otherwise: dict[str, recorded.Read | None] = {
        "workflow_run.completed.failure.json": [("firing", "test failed on master")],  # the run's own name is blank
        **dict.fromkeys(
            ("gitlab.job.failed.json", "gitlab.pipeline.failed.json", "gitlab.pipeline.success.json"), None
        ),
    }
    assert recorded.differences("github", "github-actions", otherwise) == {}
