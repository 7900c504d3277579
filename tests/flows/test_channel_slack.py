from __future__ import annotations

from collections.abc import Iterator

import pytest

from escalation.channels import slack, slack_inbound
from escalation.channels.base import ChannelError, Sent, Verb
from tests.fakes import slack as fake_slack
from tests.fakes.providers import FakeProviders
from tests.messages import ACKNOWLEDGED, NOW, RESOLVED, announcement, notification, page


@pytest.fixture
def providers() -> Iterator[FakeProviders]:
    with FakeProviders() as running:
        yield running


@pytest.fixture
def channel(providers: FakeProviders) -> slack.Slack:
    return slack.Slack(fake_slack.TOKEN, api_url=providers.slack_api_url)


def _refused(channel: slack.Slack, address: str = "#incidents") -> ChannelError:
    with pytest.raises(ChannelError) as refused:
        channel.send(address, announcement())
    return refused.value


def test_an_announcement_is_one_message_in_the_channel_with_buttons(
    providers: FakeProviders, channel: slack.Slack
) -> None:
    sent = channel.send("#incidents", announcement())
    [post] = providers.posts("#incidents")
    assert sent == Sent(provider_id=post.ts, ref={"channel": post.channel, "ts": post.ts})
    assert post.buttons == ["Acknowledge", "Resolve", "More…"]
    assert post.color == "#c62828"


def test_the_message_is_edited_as_the_state_changes_and_no_second_one_is_posted(
    providers: FakeProviders, channel: slack.Slack
) -> None:
    sent = channel.send("#incidents", announcement())
    channel.update("#incidents", sent.ref, announcement(standing=ACKNOWLEDGED))
    [post] = providers.posts("#incidents")
    assert (post.color, post.buttons) == ("#daa038", ["Resolve", "More…"])
    assert "Acknowledged by Ana Lima at 03:12 UTC" in post.shown

    again = channel.update("#incidents", sent.ref, announcement(standing=RESOLVED))
    assert (post.color, post.buttons) == ("#2e9e6b", [])
    assert again.ref == sent.ref
    assert len(providers.slack.posts) == 1
    assert len(post.versions) == 2


def test_a_person_is_paged_by_a_direct_message_in_one_call(providers: FakeProviders, channel: slack.Slack) -> None:
    sent = channel.send("U0ANA", page())
    [post] = providers.posts("U0ANA")
    assert len(providers.requests) == 1
    assert sent.ref["channel"] == "D0ANA"  # what an edit must name; the member's id would be refused there
    assert "You are paged at level 2." in post.shown
    channel.update("U0ANA", sent.ref, page(standing=ACKNOWLEDGED))
    assert "You were paged at level 2." in post.shown


def test_a_message_that_was_never_posted_is_not_edited(providers: FakeProviders, channel: slack.Slack) -> None:
    assert channel.update("#incidents", {}, announcement()) == Sent()
    assert providers.requests == []


def test_an_edit_of_a_message_that_is_gone_is_a_permanent_failure(channel: slack.Slack) -> None:
    with pytest.raises(ChannelError) as refused:
        channel.update("#incidents", {"channel": "C1", "ts": "1.1"}, announcement())
    assert (refused.value.code, refused.value.permanent) == ("message_not_found", True)


def test_a_notification_with_its_own_words_is_posted(providers: FakeProviders, channel: slack.Slack) -> None:
    channel.send("U0ANA", notification(note="You are on call <from> now on."))
    assert providers.posts("U0ANA")[0].text == "You are on call &lt;from&gt; now on."


def test_an_answer_is_seen_by_the_person_alone(providers: FakeProviders, channel: slack.Slack) -> None:
    channel.answer_ephemeral("C0INC", "U0ANA", "42 is already acknowledged by Bo <Chen>.")
    assert providers.slack.ephemerals == [("C0INC", "U0ANA", "42 is already acknowledged by Bo &lt;Chen&gt;.")]
    assert providers.slack.posts == []


@pytest.mark.parametrize(
    "code",
    [
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "invalid_auth",
        "account_inactive",
        "token_revoked",
        "missing_scope",
        "user_not_found",
        "restricted_action",
    ],
)
def test_what_slack_will_refuse_again_is_permanent(providers: FakeProviders, channel: slack.Slack, code: str) -> None:
    providers.fail("slack", code=code)
    refused = _refused(channel)
    assert (refused.code, refused.permanent) == (code, True)


@pytest.mark.parametrize("code", ["internal_error", "fatal_error", "service_unavailable", "a_code_made_up_tomorrow"])
def test_what_may_pass_is_not_permanent(providers: FakeProviders, channel: slack.Slack, code: str) -> None:
    providers.fail("slack", code=code)
    refused = _refused(channel)
    assert (refused.code, refused.permanent) == (code, False)


def test_a_wrong_token_is_refused_by_slack_and_is_permanent(providers: FakeProviders) -> None:
    refused = _refused(slack.Slack("xoxb-wrong", api_url=providers.slack_api_url))
    assert (refused.code, refused.permanent) == ("invalid_auth", True)


def test_slack_says_how_long_to_wait_when_there_were_too_many(providers: FakeProviders, channel: slack.Slack) -> None:
    providers.fail("slack", status=429, code="ratelimited", retry_after=30)
    refused = _refused(channel)
    assert (refused.permanent, refused.retry_after_seconds) == (False, 30.0)


def test_a_channel_that_asked_to_wait_is_not_asked_again_and_a_page_to_a_person_still_goes(
    providers: FakeProviders, channel: slack.Slack
) -> None:
    providers.fail("slack", status=429, code="ratelimited", retry_after=30)
    _refused(channel)
    before = len(providers.requests)
    with pytest.raises(ChannelError) as refused:
        channel.send("#incidents", announcement())
    assert refused.value.retry_after_seconds == pytest.approx(30, abs=1)
    assert len(providers.requests) == before
    channel.send("U0ANA", page())
    assert len(providers.posts("U0ANA")) == 1


@pytest.mark.parametrize(
    ("fault", "code", "permanent"),
    [
        ({"status": 503, "body": b"<html>upstream"}, "http_503", False),
        ({"status": 500}, "internal_error", False),
        ({"status": 404, "body": b"<html>not here"}, "http_404", True),
        ({"status": 200, "body": b"<html>log in"}, "http_200", False),
        ({"drop": True}, "network", False),
        ({"lose_answer": True}, "network", False),
    ],
)
def test_a_failing_way_to_slack_is_told_from_a_wrong_one(
    providers: FakeProviders, channel: slack.Slack, fault: dict[str, object], code: str, permanent: bool
) -> None:
    providers.fail("slack", **fault)  # type: ignore[arg-type]  # one fault a case
    refused = _refused(channel)
    assert (refused.code, refused.permanent) == (code, permanent)


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"5", b"[" * 100_000], ids=["list", "text", "number", "nested"])
@pytest.mark.parametrize("status", [200, 502])
def test_json_that_is_no_answer_of_slacks_is_a_passing_failure(
    providers: FakeProviders, channel: slack.Slack, status: int, body: bytes
) -> None:
    providers.fail("slack", status=status, body=body)
    assert not _refused(channel).permanent


def test_a_name_that_slack_would_never_give_is_not_taken_for_the_messages(
    providers: FakeProviders, channel: slack.Slack
) -> None:
    providers.fail("slack", status=200, body=b'{"ok": true, "ts": {"a": 1}, "channel": "' + b"C" * 1_000 + b'"}')
    sent = channel.send("#incidents", announcement())
    assert (sent.provider_id, len(sent.ref["channel"])) == ("", 200)


def test_a_slack_that_is_not_there_is_a_passing_failure() -> None:
    with FakeProviders() as gone:
        pass
    refused = _refused(slack.Slack(fake_slack.TOKEN, api_url=gone.slack_api_url))
    assert (refused.code, refused.permanent) == ("network", False)


def test_each_send_is_tried_once_because_the_engine_decides_about_retries(
    providers: FakeProviders, channel: slack.Slack
) -> None:
    providers.fail("slack", status=503, times=5)
    _refused(channel)
    assert len(providers.requests) == 1


def test_a_page_whose_layout_slack_refuses_is_sent_as_plain_words(
    providers: FakeProviders, channel: slack.Slack
) -> None:
    providers.fail("slack", code="invalid_blocks")
    channel.send("U0ANA", page())
    [post] = providers.posts("U0ANA")
    assert post.text.startswith("You are paged: 42 CRITICAL constitutional: Hash chain broken")
    assert "Type /incident ack 42 to acknowledge." in post.text
    assert post.shown == ""


def test_a_button_pressed_on_what_was_sent_acknowledges_that_incident(
    providers: FakeProviders, channel: slack.Slack
) -> None:
    channel.send("#incidents", announcement())
    [post] = providers.posts("#incidents")
    pressed = fake_slack.press(post, "Acknowledge", user="U0ANA", now=NOW)
    reply = slack_inbound.reply(slack_inbound.read(pressed.headers, pressed.body, NOW, fake_slack.SIGNING_SECRET))
    assert (reply.sender, reply.verb, reply.number) == ("U0ANA", Verb.ACKNOWLEDGE, 42)
    assert (reply.context["channel"], reply.context["ts"]) == (post.channel, post.ts)


def test_the_failures_of_slack_write_no_log_lines_of_their_own(
    providers: FakeProviders, channel: slack.Slack, caplog: pytest.LogCaptureFixture
) -> None:
    providers.fail("slack", drop=True)
    providers.fail("slack", status=503, body=b"<html>")
    _refused(channel)
    _refused(channel)
    assert caplog.records == []


def test_a_usergroup_has_the_members_it_is_given_and_slacks_refusal_is_told(
    providers: FakeProviders, channel: slack.Slack
) -> None:
    channel.set_usergroup("S0123ABC", ["U0ANA", "U0BO"])
    assert providers.slack.usergroups == {"S0123ABC": ["U0ANA", "U0BO"]}
    with pytest.raises(ChannelError) as refused:
        channel.set_usergroup("nope", ["U0ANA"])
    assert (refused.value.permanent, refused.value.code) == (True, "no_such_subteam")
