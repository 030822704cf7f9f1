"""The words after `plan`, `submit` and `run`. What reads a plan is not imported for them."""

from __future__ import annotations

import argparse

USUAL_PLAN = "plan.yaml"
"""What `skint init` writes."""


def add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    """What `plan`, `run` and `submit` have in common."""
    parser.add_argument(
        "file", metavar="FILE", nargs="?", default=USUAL_PLAN, help=f"default: {USUAL_PLAN}"
    )
    parser.add_argument(
        "--set",
        metavar="ENTRY.PARAMETER=VALUE",
        action="append",
        default=[],
        dest="sets",
        help="change a parameter of an entry, e.g. train.lr=0.05; may be repeated",
    )
    parser.add_argument("--account", metavar="NAME", help="charge another account than the plan's")
    parser.add_argument(
        "--cpu-only", action="store_true", help="do all the free work, leave the accelerator alone"
    )
    parser.add_argument(
        "--again", action="store_true", help="pay for accelerator results that are known already"
    )
    parser.add_argument(
        "--park",
        action="store_true",
        help="begin although not all of it fits; what is cut short goes on when hours come back",
    )
    parser.add_argument(
        "--folds", metavar="N,N", type=_folds, help="of `per: fold` entries only these"
    )


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """What `submit` and `run` have in common beyond the plan."""
    parser.add_argument("--name", help="name of the run; default: the plan's name and a number")
    parser.add_argument(
        "--priority",
        metavar="N",
        type=int,
        default=0,
        help="added to the priority of each of its jobs; larger goes first, default 0",
    )
    parser.add_argument("--explore", action="store_true", help="no stop rule but `broken` stops it")


def _folds(text: str) -> frozenset[int]:
    from orchestrator.plans.only_folds import parse_folds

    return parse_folds(text)
