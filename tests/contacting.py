"""What a person does with their own contact methods, for tests: each verb in its transaction, and the codes read where
they arrive."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from escalation import contacts, responders
from escalation.contacts import Contact, Told
from tests.world import World

NEW = "+15005550199"
Answer = TypeVar("Answer")


def do(world: World, verb: Callable[..., Answer], *given: Any, by: str = "ana") -> Answer:
    with world.database.transaction() as session:
        answer = verb(session, world.actor(by, via="web"), *given, world.now)
    world.run()
    return answer


def add(world: World, channel: str = "sms", address: str = NEW, *, by: str = "ana") -> int:
    return do(world, contacts.add, channel, address, by=by).id


def code_sent(world: World, method_id: int, *, by: str = "ana") -> str:
    """Have one sent, and read it where it arrives."""
    do(world, contacts.send_code, method_id, by=by)
    found = re.search(r"Your code is (\d{6})\.", world.sent()[-1].message.note)
    assert found is not None, world.sent()[-1].message.note
    return found[1]


def confirm(world: World, method_id: int, code: str, *, by: str = "ana") -> Told:
    return do(world, contacts.confirm, method_id, code, by=by)


def confirmed(world: World, channel: str = "sms", address: str = NEW) -> int:
    method_id = add(world, channel, address)
    assert confirm(world, method_id, code_sent(world, method_id)).changed
    return method_id


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def own(world: World, by: str = "ana") -> list[Contact]:
    with world.database.reading() as session:
        return contacts.own(session, world.actor(by), world.now)


def declared_id(world: World, by: str, channel: str) -> int:
    return next(each.id for each in own(world, by) if each.channel == channel)


def paged_at(world: World) -> list[str]:
    world.deliveries.clear()
    world.alert(dedup_key=f"alert at {world.now}")
    return [page.to for page in world.sent() if page.message.purpose == "page"]


def whose(world: World, channel: str, address: str) -> str | None:
    with world.database.reading() as session:
        person = responders.by_handle(session, channel, address)
        return person.key if person else None
