"""Figures about noise that is held down, read from the database as it is now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import func, select

from config.database import Database
from incidents.lifecycle import UNSETTLED
from incidents.models import IS_FIRING, Alert, Incident


def collector(database: Database, _: Callable[[], datetime]) -> Callable[[], Iterable[Metric]]:
    def collect() -> Iterable[Metric]:
        of_groups = (
            select(func.count(Alert.id), func.count(Incident.id.distinct()))
            .join(Incident, Incident.id == Alert.incident_id)
            .where(Incident.status.in_(UNSETTLED), Incident.group_key != "")
        )
        flapping = select(func.count(), func.count(Alert.settles_at)).where(IS_FIRING, Alert.flapping)
        with database.reading() as session:
            alerts, incidents = session.execute(of_groups).one()
            flaps, settles = session.execute(flapping).one()
        joined = alerts - incidents
        yield GaugeMetricFamily("tocsin_alerts_joined", "Alerts that joined another's incident, not over yet", joined)
        yield GaugeMetricFamily("tocsin_alerts_flapping", "Alerts that fire and are held as flapping", flaps)
        yield GaugeMetricFamily("tocsin_alerts_settling", "Of those, which end if they stay quiet", settles)

    return collect
