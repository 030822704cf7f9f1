"""The lengths of SGDR's cycles, and what they add up to. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator


def cycles(epochs: int, length: int, factor: int) -> tuple[int, ...] | None:
    """Epochs of each cycle, the first of `length`, each `factor` times the one before.

    None where whole cycles do not add up to `epochs`.
    """
    for lengths in _growing(length, factor):
        if sum(lengths) >= epochs:
            return lengths if sum(lengths) == epochs else None
    raise AssertionError("cycles grow without end")


def nearest(epochs: int, length: int, factor: int) -> tuple[tuple[int, ...], ...]:
    """The cycles that add up to the nearest totals below and above `epochs`, if there is one."""
    below: tuple[int, ...] = ()
    for lengths in _growing(length, factor):
        if sum(lengths) >= epochs:
            return (below, lengths) if below else (lengths,)
        below = lengths
    raise AssertionError("cycles grow without end")


def cycles_text(lengths: tuple[int, ...]) -> str:
    """`1 cycle of 2`, `2 cycles of 3`, `3 cycles of 2, 4, 8`."""
    if len(lengths) == 1:
        return f"1 cycle of {lengths[0]}"
    if len(set(lengths)) == 1:
        return f"{len(lengths)} cycles of {lengths[0]}"
    return f"{len(lengths)} cycles of {', '.join(map(str, lengths))}"


def _growing(length: int, factor: int) -> Iterator[tuple[int, ...]]:
    lengths: tuple[int, ...] = ()
    while True:
        lengths = (*lengths, length * factor ** len(lengths))
        yield lengths
