"""Without a name: that of a plan, for editors. Save it and name it in the plan's first line:

  skint schema > plan.schema.json
  # yaml-language-server: $schema=plan.schema.json

The other names are those of what commands answer with --json: `status`, or
`status/1` with its version."""

from __future__ import annotations

import argparse
import json

from orchestrator.cli.printing.screen import table
from orchestrator.shapes import SHAPES
from skint.errors import NOT_FOUND, OK, SkintError

EXAMPLES = ("skint schema", "skint schema status", "skint schema --list")
PLAN = "plan"


class NoSchema(SkintError):
    """Nothing of this name has a schema."""

    exit_code = NOT_FOUND


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", default=PLAN, metavar="NAME", help="default: plan")
    parser.add_argument("--list", action="store_true", help="the names that there are")


def run(arguments: argparse.Namespace) -> int:
    if arguments.list:
        rows = [(PLAN, "a plan: the YAML file"), *((name, answers(name)) for name in SHAPES)]
        print(table(("name", "of what"), rows))
        return OK
    print(json.dumps(schema_of(arguments.name), indent=1, ensure_ascii=False))
    return OK


def answers(shape: str) -> str:
    """Which command answers in this shape."""
    command = shape.partition("/")[0].replace("-", " ")
    known = {
        "done": "commands that change something",
        "error": "a command that fails",
        "accounts": "skint account list",
    }
    return known.get(command, f"skint {command} --json")


def schema_of(name: str) -> dict[str, object]:
    """Raises NoSchema."""
    if name == PLAN:
        from orchestrator.plans.json_schema import plan_schema

        return plan_schema()
    versions = [shape for shape in SHAPES if shape == name or shape.partition("/")[0] == name]
    if not versions:
        from orchestrator.cli.parsing.parser import nearest

        near = nearest(name, [PLAN, *(shape.partition("/")[0] for shape in SHAPES)])
        raise NoSchema(
            "nothing of this name has a schema",
            got=name,
            next=f"did you mean {near}?" if near else "skint schema --list",
        )
    from orchestrator.shapes.schema import json_schema

    return json_schema(max(versions, key=lambda shape: int(shape.partition("/")[2])))
