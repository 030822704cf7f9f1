"""Which data sets the rules were chosen on, and which ones show what that is worth."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from statistics import median

from benchmarks.stop_rules_replay.campaign import Campaign, costs

Halves = tuple[list[Campaign], list[Campaign]]
"""Tuned on, unseen."""


def by_digest(campaigns: Sequence[Campaign]) -> Halves:
    """Families whose SHA-256 begins with an even byte, and the others."""
    even = {
        campaign.family: hashlib.sha256(campaign.family.encode()).digest()[0] % 2 == 0
        for campaign in campaigns
    }
    return by_name(campaigns, {family for family, is_even in even.items() if is_even})


def by_name(campaigns: Sequence[Campaign], tuned_on: Collection[str]) -> Halves:
    tuned = [campaign for campaign in campaigns if campaign.family in tuned_on]
    return tuned, [campaign for campaign in campaigns if campaign.family not in tuned_on]


def with_usual(campaigns: Sequence[Campaign], of: Sequence[Campaign]) -> list[Campaign]:
    """The same with the usual seconds of a run that the runs `of` others have shown."""
    known = median(costs(of))
    return [replace(campaign, usual_s=known) for campaign in campaigns]
