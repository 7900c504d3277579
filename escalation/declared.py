"""What tocsin.yaml says of responders, schedules, policies, hours and the last resort, as values. Pure.

Everything that would keep somebody from being woken and that the file alone can show is refused here, all at once.
Whether a schedule has gaps or a role has holders today is a question of readiness, not of form; only the last resort
must name somebody outright, because there is nothing behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config import fields
from config.declaration import Document, Problems
from config.fields import Fields
from escalation import declared_hooks, declared_names, declared_people, declared_policies, declared_schedules
from escalation.declared_names import KEY, NOTHING_BESIDE, Beside, Names
from escalation.declared_people import DeclaredResponder
from escalation.oncall.hours import Hours
from escalation.oncall.schedules import Schedule
from escalation.policies import Policy, Target


@dataclass(frozen=True, slots=True)
class Declared:
    responders: tuple[DeclaredResponder, ...]
    schedules: tuple[Schedule, ...]
    policies: tuple[Policy, ...]
    hours: tuple[Hours, ...]
    last_resort: tuple[Target, ...]
    halt_hook: str = ""  # called when a halt is recommended


def read_declared(document: Document, problems: Problems, beside: Beside = NOTHING_BESIDE) -> Declared:
    """Read this package's sections. What has problems is left out: raise them before using the result.

    The file may refer to what it declares, and to the names `beside` it.
    """
    top = fields.root(document, problems)
    people, schedules, levelled = (top.entries(name) for name in ("responders", "schedules", "policies"))
    weekly = top.entries("hours")
    for section in (*people.values(), *schedules.values(), *levelled.values(), *weekly.values()):
        if not KEY.fullmatch(section.name):
            section.refuse_at(section.path, "a name has up to 64 lower-case letters, digits and . _ -")
    if not people and not problems.touch(("responders",)):
        top.refuse("responders", "is missing: without responders nobody can be woken")
    names = Names(responder=beside.responders.union(people), schedule=beside.schedules.union(schedules))
    owners: dict[tuple[str, str], str] = {}
    hours = {key: declared_policies.hours(section) for key, section in weekly.items()}
    known = {each.key: each for each in beside.hours} | hours
    declared = Declared(
        responders=tuple(
            person for section in people.values() if (person := declared_people.responder(section, owners))
        ),
        schedules=tuple(
            plan for section in schedules.values() if (plan := declared_schedules.schedule(section, names))
        ),
        policies=tuple(
            found for section in levelled.values() if (found := declared_policies.policy(section, names, known))
        ),
        hours=tuple(hours.values()),
        last_resort=declared_names.targets(top, "last_resort", names, required=True),
        halt_hook=declared_hooks.url(top.inner("hooks"), "halt"),
    )
    _refuse_shared_usergroups(declared, schedules, beside)
    if not problems.touch(("responders",)) and not problems.touch(("last_resort",)):
        _refuse_empty_last_resort(declared, top)
    return declared


def _refuse_shared_usergroups(declared: Declared, sections: Mapping[str, Fields], beside: Beside) -> None:
    """Each schedule would take out of the group whom the other has put in."""
    taken = {usergroup: schedule for usergroup, schedule in beside.usergroups if schedule not in sections}
    for plan in declared.schedules:
        if plan.slack_usergroup and taken.setdefault(plan.slack_usergroup, plan.key) != plan.key:
            problem = declared_names.usergroup_problem(plan.slack_usergroup, taken[plan.slack_usergroup])
            sections[plan.key].refuse("slack_usergroup", problem)


def _refuse_empty_last_resort(declared: Declared, top: Fields) -> None:
    """Nothing stands behind the last resort: it must not be only a schedule with gaps or a role that nobody has."""
    held = {role for responder in declared.responders for role in responder.roles}
    sure = {"responder:" + responder.key for responder in declared.responders} | {"role:" + role for role in held}
    if not any(str(target) in sure for target in declared.last_resort):
        top.refuse("last_resort", "must name a responder, or a role that somebody has: nothing stands behind it")
