"""A network's layers in the order of their depth, and groups of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from torch import nn

from jobs.training.network.model import ModelError, Network

LARGE = 0.5
"""A part with more than this share of the parameters is looked into: it is no single layer."""


def layers_of(network: Network) -> list[list[str]]:
    """Names of the parameters, layer by layer from the input to the head, which is the last.

    timm's models say which layers they have; of others a layer is a child in the order of its
    definition, and `Sequential`s and their like are looked into. Raises ModelError where the head
    is not known.
    """
    if not network.head_prefix:
        raise ModelError(
            "freezing, or rates by layer, needs to know the last layer",
            got=type(network.module).__name__,
            wanted="a class whose attribute `head` is its last layer",
        )
    matcher = getattr(network.module, "group_matcher", None)
    given = _of_timm(network.module, matcher(coarse=False)) if matcher else None
    found = given or list(_children(network.module, "", _count(network.module)))
    head = [name for layer in found for name in layer if name.startswith(network.head_prefix)]
    body = [[name for name in layer if name not in set(head)] for layer in found]
    return [layer for layer in body if layer] + [head]


def grouped(network: Network, count: int) -> list[list[nn.Parameter]]:
    """All parameters in `count` groups: the last one is the head, the others share the layers
    before it evenly, from the input on.

    Raises ModelError where there are not so many layers.
    """
    named = dict(network.module.named_parameters())
    if count == 1:
        return [list(named.values())]
    *body, head = layers_of(network)
    if count - 1 > len(body):
        raise ModelError(
            "the network does not have so many groups of layers",
            where="lr_groups",
            got=f"{count} groups",
            wanted=f"at most {len(body) + 1}",
        )
    edges = [round(n * len(body) / (count - 1)) for n in range(count)]
    parts = [body[first:last] for first, last in pairwise(edges)]
    return [[named[name] for layer in part for name in layer] for part in [*parts, [head]]]


def _of_timm(module: nn.Module, matcher: object) -> list[list[str]] | None:
    from timm.models import group_parameters

    groups = group_parameters(module, matcher)
    layers = [groups[depth] for depth in sorted(groups)]
    # A model that forgets some of its parameters is read like any other.
    whole = sum(map(len, layers)) == len(dict(module.named_parameters()))
    return layers if whole else None


def _children(module: nn.Module, prefix: str, total: int) -> Iterator[list[str]]:
    own = [prefix + name for name, _ in module.named_parameters(recurse=False)]
    if own:  # tokens and positions of a transformer: they belong to the input
        yield own
    for name, child in module.named_children():
        inner = f"{prefix}{name}."
        container = isinstance(child, nn.Sequential | nn.ModuleList | nn.ModuleDict)
        has_parts = next(child.children(), None) is not None
        if container or (has_parts and _count(child) > LARGE * total):
            yield from _children(child, inner, total)
        elif names := [inner + name for name, _ in child.named_parameters()]:
            yield names


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
