"""What an engine does beside paging: one line for each kind of timer, in one place."""

from __future__ import annotations

from collections.abc import Mapping

from escalation.channels.base import Channel
from escalation.models import TimerKind
from escalation.notices import NoticeErrand
from escalation.paging.engine import Act, Errand
from incidents.desk import Desk


def acts(desk: Desk) -> dict[TimerKind, Act]:  # noqa: ARG001  the acts that need it come with their verbs
    """Done in one transaction each, which finishes its timer."""
    return {}


def errands(
    desk: Desk,  # noqa: ARG001  as above
    channels: Mapping[str, Channel],
    *,
    secret: str,  # noqa: ARG001  as above
) -> dict[TimerKind, Errand]:
    """What calls somebody, outside a transaction. `secret` signs what goes to a team's own endpoints."""
    return {
        TimerKind.NOTICE: NoticeErrand(channels),
    }
