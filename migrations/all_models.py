"""Every table of Tocsin in one metadata: importing the modules fills it."""

from __future__ import annotations

import escalation.models
import incidents.models
import incidents.proof.models
import incidents.reviews.models
import runbook_links.models
from config import auth_models
from config.orm import Base

MODULES = (
    auth_models,
    escalation.models,
    incidents.models,
    incidents.proof.models,
    incidents.reviews.models,
    runbook_links.models,
)
metadata = Base.metadata
