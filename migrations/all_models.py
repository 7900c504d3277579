"""Every table of Tocsin in one metadata: importing the modules fills it."""

from __future__ import annotations

import escalation.models
import escalation.oncall.models
import escalation.paging.models
import incidents.event_models
import incidents.models
import incidents.proof.models
import incidents.reviews.models
import incidents.silence_models
import runbook_links.models
from config import audit_models, auth_models
from config.orm import Base

MODULES = (
    audit_models,
    auth_models,
    escalation.models,
    escalation.oncall.models,
    escalation.paging.models,
    incidents.event_models,
    incidents.models,
    incidents.proof.models,
    incidents.reviews.models,
    incidents.silence_models,
    runbook_links.models,
)
metadata = Base.metadata
