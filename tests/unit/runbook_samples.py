"""A runbook without a single finding, and the ways to spoil it."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from runbook_links import document
from runbook_links.document import Runbook

NOW = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)
NAME = "chain-break"

GOOD = """\
---
id: chain-break
title: "Chain Break"
category: runbook
class: mixed
epic: 1
severities: [CRITICAL, HIGH]
services: [event-store]
triggers: [K01, ChainBroken]
keywords: [hash chain, previous_hash]
owner: role:store-oncall
contacts: [role:keeper-duty]
version: "1.2.0"
created: "2026-01-05"
last_updated: "2026-11-01"
next_review: "2026-12-01"
active: true
frequency: on-demand
automation_level: manual
governance_refs: ["FR21", "ADR-10"]
approvals: [{action: reopen-writes, roles: [keeper, governance], min: 2}]
last_exercised: {date: "2026-10-01", kind: dry-run}
tags: [store]
ship_factor: 0.7
recert: {status: certified, certified_on: "2026-11-01", certified_by: "role:store-oncall", period: "P1M", record_url: "git"}
---
# Chain Break

Last Updated: 2026-11-01
Version: 1.2.0
Owner: Store on-call

## Purpose

Find where the chain broke and keep what proves it.

## Trigger Conditions

- K01 fires.

## Symptoms

- Verification stops at a sequence number.

## Prerequisites

- [ ] Read access to the store.

## Diagnosis

Compare the two neighbours of the broken entry.

## Procedure

### Step 1: Confirm the break

**Label:** OPERATIONAL
**Actor:** Human (store on-call)
**Duration:** 5 minutes
- [ ] Run the verifier over the last 1,000 entries
  and keep its output.
- [ ] Note the first broken sequence.
**Verification:**
- Expected outcome: the verifier names one sequence, twice the same.
- Command to verify: `store verify --last 1000`
**Rollback:** not applicable: nothing was changed.

### Step 2: Close the store to writes

**Label:** CONSTITUTIONAL
**Actor:** Human (keeper on duty)
**Duration:** 10 minutes
**Governance:** FR21, ADR-10
**Approvals:** reopen-writes: 2 of keeper, governance
- [ ] Stop the writer with `store writer stop`.
**Verification:**
- Expected outcome: `writer: stopped`
- Command to verify: `store writer status`
**Evidence to record:** the status line and its time.
**Rollback:** start the writer with `store writer start` once both have agreed.

### Step 3: Hand over

**Label:** MIXED
**Actor:** Human
**Duration:** 5 minutes
**Governance:** ADR-10
**Approvals:** none
#### OPERATIONAL
- [ ] Tell the observers.
#### CONSTITUTIONAL
- [ ] Verify that both witnesses signed.
**Verification:**
- Expected outcome: 2 signatures.
**Evidence to record:** both names.
**Rollback:** not applicable: nothing was changed.

## Verification

The verifier reports 0 failures.

## Escalation

| Condition | Escalate To | Contact |
|-----------|-------------|---------|
| Verification failed | Keeper on duty | role:keeper-duty |
| No answer in 10 minutes | Governance chair | role:governance-chair |

## Rollback

Start the writer again as in [step 2](#step-2-close-the-store-to-writes).

## Expected Outcomes

One known sequence, and a store that nobody writes to.

## Troubleshooting

| Error | Response |
|-------|----------|
| The verifier does not start | Take the copy on the second host |

## Prevention

Verify every hour.

## Monitoring

The age of the last verification.

## Contacts

- role:keeper-duty

## References

- [Index](index.md)

## Change Log

- 1.2.0: second host.

## Automation Opportunities

Step 1 could run by itself.
"""

INDEX = """\
---
title: "Runbooks"
category: index
---
# Runbooks

| Runbook | For |
|---------|-----|
| [Chain Break](chain-break.md) | a broken chain |
"""

TEMPLATE = """\
---
id: "[slug]"
title: "[Runbook Title]"
category: template
version: "[1.0]"
---
# [Runbook Title]

## Purpose

See [the other one](other-runbook.md).
"""

# The document of a team that has no front matter, with labels as sub-headings whose emoji went through cp1252.
PLAIN = """\
# Restart the API

Last Updated: 2026-10-01
Version: 1.0
Owner: Platform

## Overview

When the API hangs.

## Pre-requisites

- [ ] Shell access

## Triggers

- Health check fails

## Step 1: Verify System Health

### ðŸ”µ Operational Check

- [ ] API answers

### ðŸ”´ Constitutional Check

- [ ] Halt state is clear

**Verification:**
- Expected outcome: 200
- Command to verify: `curl -f localhost/health`

## Escalation

| Condition | Escalate To | Contact |
|-----------|-------------|---------|
| Still down | Manager | [info] |

## References

- none
"""


def changed(*replacements: tuple[str, str], text: str = GOOD) -> str:
    """The text with each first part replaced by the second; one that is not there is a mistake in the test."""
    for old, new in replacements:
        assert old in text, f"{old!r} is not in the sample"
        text = text.replace(old, new, 1)
    return text


def read(text: str = GOOD, name: str = NAME) -> Runbook:
    return document.parse(text, name=name)


def good(*replacements: tuple[str, str], name: str = NAME) -> Runbook:
    return read(changed(*replacements), name)


_FRAGMENTS = st.sampled_from(
    [
        "---",
        "```",
        "<!--",
        "-->",
        "*",
        "**",
        "|",
        "#",
        "\n",
        "\t",
        ": ",
        "[",
        "{",
        '"',
        "&a",
        "*a",
        "🔴",
        "ðŸ",
        "- [ ] ",
    ]
)


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """The good runbook with up to six cuts, each closed with something that means something in YAML or Markdown."""
    text = GOOD
    for _ in range(draw(st.integers(1, 6))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 60))
        text = text[:at] + draw(_FRAGMENTS | st.text(max_size=6)) + text[at + length :]
    return text
