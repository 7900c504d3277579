"""Bringing responders, schedules, policies and the last resort to what is declared.

What happens to something that is no longer declared:
- A responder becomes inactive: never paged, not signed in, tokens refused. The row stays, because history refers to it;
  the addresses go, so that they are free for somebody else. Declared again, the person is active again.
  Their time off that is still to come is taken back; what is past stays, because turns were given by it.
- What people own is never touched (`ownership`); the rest is about what is the file's.
- A schedule or a policy is deleted once nothing refers to it. A policy stays while a service names it; a schedule while
  a policy, the last resort, or what a running escalation was frozen with names it, and is people's then if a policy
  of theirs does.
Running escalations are not touched: each keeps the policy it began with, and asks who is on call when a level fires.
An address that was found not to work, and is declared as before, stays out of use.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from config.changes import Changes
from escalation import apply_hooks, apply_people, apply_policies, apply_schedules, apply_time_off, ownership
from escalation.declared import Declared
from escalation.models import Owner, PolicyRow, ScheduleRow
from escalation.policies import Target


def write(session: Session, declared: Declared, changes: Changes, now: datetime) -> None:
    """Add and change what is declared; of people, also take away. The caller lets only one do this at a time."""
    apply_people.write(session, declared.responders, changes)
    apply_time_off.write(session, declared.responders, changes, now)
    apply_schedules.write(session, declared.schedules, changes)
    apply_policies.write_hours(session, declared.hours, changes)
    apply_policies.write(session, declared.policies, changes)
    apply_policies.write_last_resort(session, [str(target) for target in declared.last_resort], changes)
    apply_hooks.write(session, declared.halt_hook, changes)


def drop_unused(
    session: Session,
    declared: Declared,
    changes: Changes,
    *,
    policies_in_use: Collection[str],
    unsettled: Select[int],
    now: datetime,
) -> None:
    """Delete what is neither declared nor referred to. `policies_in_use` are the policies that services name;
    `unsettled` selects the ids of the incidents whose escalation runs or may run again."""
    kept = {policy.key for policy in declared.policies} | set(policies_in_use)
    for policy in session.scalars(select(PolicyRow).order_by(PolicyRow.key)):
        if policy.key not in kept and policy.owner == Owner.FILE:
            session.delete(policy)
            changes.removed(f"policy {policy.key}", before=apply_policies.as_written(policy.definition))
    session.flush()
    kept = {schedule.key for schedule in declared.schedules}
    files = session.scalars(select(ScheduleRow).where(ScheduleRow.owner == Owner.FILE).order_by(ScheduleRow.key))
    undeclared = [row for row in files if row.key not in kept]
    used = apply_schedules.in_use(session, unsettled) if undeclared else set()
    paged = {target for level in ownership.levels_of_people(session) for target in level.page} if undeclared else set()
    for row in undeclared:
        if Target("schedule", row.key) in paged:
            ownership.hand_over(row, f"schedule {row.key}", changes)
        elif row.key not in used:
            apply_schedules.drop(session, row, changes, now)
    session.flush()
