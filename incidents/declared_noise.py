"""What tocsin.yaml says of how a service holds noise down. Pure."""

from __future__ import annotations

from config.fields import Fields
from incidents import noise
from incidents.noise import Damping, Grouping


def grouping(section: Fields) -> Grouping | None:
    if not section.has("group"):
        return None
    inside = section.inner("group")
    within = inside.seconds("within", minimum=noise.GROUP_SECONDS_MIN, maximum=noise.GROUP_SECONDS_MAX)
    by: dict[str, None] = {}
    for path, name in inside.texts("by", characters_max=noise.LABEL_CHARACTERS_MAX).items():
        if name in by:
            inside.refuse_at(path, f'"{name}" stands twice')
        by[name] = None
    if len(by) > noise.LABELS_MAX:
        inside.refuse("by", f"has more than {noise.LABELS_MAX} entries")
    return Grouping(within, tuple(by)) if inside.sound else None


def damping(section: Fields) -> Damping | None:
    if not section.has("flap"):
        return None
    inside = section.inner("flap")
    toggles = inside.integer("toggles", minimum=noise.TOGGLES_MIN, maximum=noise.TOGGLES_MAX)
    within = inside.seconds("within", minimum=noise.FLAP_SECONDS_MIN, maximum=noise.FLAP_SECONDS_MAX)
    return Damping(toggles, within) if inside.sound else None
