"""A world with its Slack: the real corridor and the real slack-sdk, over a fake of Slack on loopback.

room.command("ack 1", user="U0ANA")
room.press("More…", 1, user="U0ANA"); room.choose("tocsin.form.note"); room.send({"text": "hello"})
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config.database import Database
from escalation.channels.slack import Slack
from incidents.slack import routes
from incidents.slack.corridor import Corridor, Submit
from tests.edge import Edge
from tests.fakes import slack
from tests.fakes.providers import FakeProviders
from tests.world import World

BASE_URL = "https://tocsin.example.org"
ANA, BO, KIM, KAI, OLA = "U0ANA", "U0BO", "U0KIM", "U0KAI", "U0OLA"


def at_once(call: Callable[[], Any]) -> Future[Any]:
    future: Future[Any] = Future()
    try:
        future.set_result(call())
    except Exception as error:  # noqa: BLE001  a future keeps whatever it was
        future.set_exception(error)
    return future


@dataclass
class Room:
    world: World
    providers: FakeProviders
    client: FlaskClient
    corridor: Corridor
    user: str = ANA  # who looks at the modal

    # What people do

    def press(self, label: str, number: int, *, user: str = ANA) -> TestResponse:
        """A button of the incident's living message."""
        action_id = {
            "Acknowledge": "tocsin.acknowledge",
            "Resolve": "tocsin.resolve",
            "More…": "tocsin.more",
            "Approve…": "tocsin.approve",
            "Decline…": "tocsin.decline",
        }[label]
        return self.act({"action_id": action_id, "value": str(number), "type": "button"}, user=user)

    def act(self, action: dict[str, Any], *, user: str = ANA) -> TestResponse:
        self.user = user
        payload = slack.pressed_payload(action, user=user, channel="C0INC")
        return self.bring(payload | {"response_url": self.providers.response_url})

    def choose(self, action_id: str) -> TestResponse:
        """A button in the open modal."""
        view_id, view = self._newest()
        return self.bring(slack.pressed_in_view(view_id, view, action_id, user=self.user))

    def send(self, entered: dict[str, Any]) -> dict[str, Any]:
        """The open modal's form; Slack's answer, with a view in it put in the modal's place as Slack does."""
        view_id, view = self._newest()
        return self.sent(slack.sent_view(view_id, view, entered, user=self.user), view_id)

    def sent(self, payload: dict[str, Any], view_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.bring(payload).get_json(silent=True) or {}
        if answer.get("response_action") == "update":
            assert not slack.slack_views.problem(answer["view"])
            self.providers.slack.views[view_id] = answer["view"]
        return answer

    def form(self, entered: dict[str, Any]) -> dict[str, Any]:
        """What Slack would bring if the open modal's form were sent so."""
        view_id, view = self._newest()
        return slack.sent_view(view_id, view, entered, user=self.user)

    def command(self, text: str, *, user: str = ANA) -> str:
        """What is answered at once."""
        self.user = user
        answer = self._post(slack.command(text, user=user, now=self.world.now))
        return str((answer.get_json(silent=True) or {}).get("text", ""))

    def bring(self, payload: dict[str, Any]) -> TestResponse:
        return self._post(slack.signed({"payload": json.dumps(payload)}, self.world.now))

    def _post(self, request: slack.SlackRequest) -> TestResponse:
        answer = self.client.post("/replies/slack", data=request.body, headers=request.headers)
        assert answer.status_code == 200, answer.text
        return answer

    # What they see

    @property
    def modal(self) -> str:
        return self.providers.slack.modal

    @property
    def buttons(self) -> list[str]:
        return [button["text"]["text"] for button in slack._buttons(self._newest()[1]["blocks"])]

    @property
    def told(self) -> list[str]:
        """What was said to single people afterwards."""
        answers = [body["text"] for _, body in self.providers.slack.answers]
        return answers + [text for _, _, text in self.providers.slack.ephemerals]

    def _newest(self) -> tuple[str, dict[str, Any]]:
        return list(self.providers.slack.views.items())[-1]


def channel(providers: FakeProviders) -> Slack:
    return Slack(slack.TOKEN, api_url=providers.slack_api_url)


def open_room(
    database: Database, providers: FakeProviders, config: str, *, work: Submit = at_once, calls: Submit = at_once
) -> Room:
    world = World(database, config=config)
    app = Edge(database, base_url=BASE_URL).app
    outward = channel(providers)
    corridor = Corridor(database, world.desk, lambda: world.now, lambda: None, outward, work=work, calls=calls)
    app.register_blueprint(routes.blueprint(corridor, lambda: world.now, slack.SIGNING_SECRET))
    return Room(world, providers, app.test_client(), corridor)
