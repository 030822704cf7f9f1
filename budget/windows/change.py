"""The window when the rule was changed, or when the provider says that it resets at another time.

Neither is a way to get hours back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from budget.windows.base import Usage, Window, WindowRule
from budget.windows.calendar import Calendar
from budget.windows.first_use import FirstUse


def window_under(versions: Sequence[tuple[int, WindowRule]], now_ms: int, usage: Usage) -> Window:
    """The window at `now_ms` of a limit whose rule changed: (from when, rule), oldest first.

    A change is no reset. Until the new rule's first reset after it, the window begins where the
    old one did (or the new one, if that is earlier), so that what was used keeps counting. The
    first version holds before its own time too. Raises ValueError without a version.
    """
    if not versions:
        raise ValueError("a limit has at least one rule")
    known = [versions[0]]
    for from_ms, rule in versions[1:]:
        if from_ms <= now_ms and rule != known[-1][1]:
            known.append((from_ms, rule))
    from_ms, rule = known[-1]
    window = rule.window_at(now_ms, usage)
    if len(known) == 1:
        return window
    reset_ms = rule.window_at(from_ms, usage).end_ms
    if now_ms >= reset_ms:
        return window
    old = window_under(known[:-1], from_ms, usage)
    return Window(min(old.start_ms, window.start_ms), max(reset_ms, now_ms + 1))


def with_refresh(
    versions: Sequence[tuple[int, WindowRule]],
    now_ms: int,
    usage: Usage,
    *,
    read_at_ms: int,
    refresh_ms: int,
) -> Window:
    """`window_under`, where the provider said at `read_at_ms` that it resets at `refresh_ms`.

    The provider's word beats the rule. Until the refresh the window is the one of the reading, and
    ends there; after it none begins before the refresh. A window from the first use began its
    length before the refresh, and what is used from the refresh on begins the next. Where the
    refresh is not an instant at which a calendar resets, the resets after it keep their distance
    from it: the calendar's own next one would come too soon. A refresh that was past when it was
    read says nothing.
    """
    if refresh_ms <= read_at_ms or now_ms < read_at_ms:
        return window_under(versions, now_ms, usage)
    rule = _newest(versions, now_ms)
    if now_ms < refresh_ms:
        start_ms = window_under(versions, read_at_ms, usage).start_ms
        if isinstance(rule, FirstUse):  # others may have begun it, or used the one before
            began_ms = min(refresh_ms - rule.length_ms, read_at_ms)
            start_ms = began_ms if len(versions) == 1 else min(began_ms, start_ms)
        return Window(max(0, start_ms), refresh_ms)
    window = window_under(versions, now_ms, usage)
    if isinstance(rule, FirstUse):
        since = rule.window_at(now_ms, _Since(usage, refresh_ms))
        if len(versions) == 1:
            return since
        return Window(min(since.start_ms, max(window.start_ms, refresh_ms)), since.end_ms)
    if not isinstance(rule, Calendar) or rule.window_at(refresh_ms).start_ms == refresh_ms:
        return Window(max(window.start_ms, refresh_ms), window.end_ms)
    start_ms, end_ms = refresh_ms, _a_period_after(refresh_ms, rule)
    while end_ms <= now_ms:
        start_ms, end_ms = end_ms, _a_period_after(end_ms, rule)
    return Window(start_ms, end_ms)


@dataclass(frozen=True, slots=True)
class _Since:
    """Use from an instant on: what was before is in a window that the provider has ended."""

    usage: Usage
    from_ms: int

    def between(self, start_ms: int, end_ms: int) -> int:
        return self.usage.between(max(start_ms, self.from_ms), max(end_ms, self.from_ms))

    def first_from(self, at_ms: int) -> int | None:
        return self.usage.first_from(max(at_ms, self.from_ms))


def _newest(versions: Sequence[tuple[int, WindowRule]], now_ms: int) -> WindowRule:
    known = [rule for from_ms, rule in versions if from_ms <= now_ms]
    return known[-1] if known else versions[0][1]


def _a_period_after(at_ms: int, rule: Calendar) -> int:
    window = rule.window_at(at_ms)
    return at_ms + window.end_ms - window.start_ms
