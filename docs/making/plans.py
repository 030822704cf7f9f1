"""docs/reference/plan.md and jobs.md: keys and parameters, from what checks plans."""

from __future__ import annotations

from functools import cache

from docs.making.schemas import default_of, keys, referred
from docs.making.tables import head, rows
from orchestrator.plans.describe import builtin_jobs, describe_builtin
from orchestrator.plans.json_schema import plan_schema, summary_of

schema_of_plans = cache(plan_schema)


def plan() -> list[str]:
    schema = schema_of_plans()
    lines = head(
        "Keys of a plan",
        "[Writing a plan](../plan.md) tells how they go together. `skint schema` prints the same",
        "as JSON Schema, for editors; [jobs.md](jobs.md) has what stands under `with`.",
    )
    lines += ["## At the top", "", *keys(schema), "## Of an entry under `jobs`", ""]
    lines += keys(schema["$defs"]["entry"])
    lines += ["## Of a stop rule", "", "Every rule also has `mode`, `default` and `after`.", ""]
    rules = schema["$defs"]["stop"]["anyOf"][-1]["properties"]
    body = [
        (f"`{rule}`", f"`{option}`", said["description"], default_of(said))
        for rule, given in rules.items()
        for option, said in given["properties"].items()
        if option not in ("mode", "default", "after")
    ]
    return [*lines, *rows(("rule", "option", "meaning", "default"), body)]


def jobs() -> list[str]:
    schema = schema_of_plans()
    lines = head(
        "Built-in jobs and their parameters",
        "What stands under `with` where an entry has `uses: JOB`. [jobs.md](../jobs.md) tells what",
        "each reads and publishes.",
    )
    links = [(f"[`{name}`](#{name})", summary_of(name)) for name in builtin_jobs()]
    lines += rows(("job", "what it does"), links)
    shown: set[str] = set()
    for name in builtin_jobs():
        kind = describe_builtin(name)
        (then,) = [
            one["then"]["properties"]["with"]["$ref"]
            for one in schema["$defs"]["entry"]["allOf"]
            if one["if"]["properties"]["uses"]["const"] == name
        ]
        given = schema["$defs"][str(then).rpartition("/")[2]]
        where = f"{kind.devices} accelerator" if kind.devices else "CPU lane"
        lines += [f"## {name}", "", f"{summary_of(name)} ({where}.)", ""]
        lines += keys(given) if given.get("properties") else ["It has no parameters.", ""]
        for below in referred(given, schema["$defs"]):
            if below not in shown and schema["$defs"][below].get("properties"):
                shown.add(below)
                lines += [f"### {below}", "", *keys(schema["$defs"][below])]
    return lines
