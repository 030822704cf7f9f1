"""docs/reference/errors.md, exit-codes.md and reason-codes.md."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from docs.making.tables import head, rows
from orchestrator.cli.printing.output import code_named
from orchestrator.reason_codes import REASONS
from skint import errors

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = ("skint", "budget", "jobs", "notifiers", "orchestrator")
CODES = (
    (errors.OK, "OK", "done"),
    (errors.FAILED, "FAILED", "it failed; the words say how"),
    (errors.USAGE, "USAGE", "the line or the plan is wrong; nothing was started"),
    (errors.NOT_FOUND, "NOT_FOUND", "there is no such run, account, file or program"),
    (errors.CREDENTIALS, "CREDENTIALS", "a token or another credential is missing or refused"),
    (errors.OVER_BUDGET, "OVER_BUDGET", "it does not fit in the hours that are free; refused"),
    (errors.RUN_FAILED, "RUN_FAILED", "a run that was waited for failed, or was cancelled"),
    (errors.UNREACHABLE, "UNREACHABLE", "the scheduler does not answer, or does not start"),
    (errors.INTERRUPTED, "INTERRUPTED", "Ctrl-C"),
    (141, "", "of `skint exec`: who read what it prints has gone"),
)


def reason_codes() -> list[str]:
    lines = head(
        "Reason codes",
        "Every wait, stop, refusal and end has a fixed code beside its sentence. Programs compare",
        "codes; sentences may change.",
    )
    for title, codes in REASONS.items():
        lines += [f"## {title}", ""]
        lines += rows(("code", "meaning"), [(f"`{code}`", said) for code, said in codes.items()])
    return lines


def exit_codes() -> list[str]:
    lines = head("Exit codes", "Of every command. `skint exec` ends with the program's own code.")
    body = [(str(code), said) for code, _, said in CODES]
    lines += rows(("code", "meaning"), body)
    named = {name: code for code, name, _ in CODES}
    by_code: dict[int, list[str]] = {}
    for kind in error_classes():
        by_code.setdefault(named[kind["exit"]], []).append(f"`{code_named(kind['name'])}`")
    lines += ["## Errors by exit code", "", "[errors.md](errors.md) says what each is.", ""]
    found = [(str(code), ", ".join(sorted(names))) for code, names in sorted(by_code.items())]
    return [*lines, *rows(("code", "errors"), found)]


def errors_page() -> list[str]:
    lines = head(
        "Errors",
        "An error says what is wrong, where, what was found, what is wanted and what to type next.",
        "With `--json` it is one document on standard output, `error/1` in [json.md](json.md),",
        "whose `code` stands here.",
    )
    body = [
        (
            f"`{code_named(kind['name'])}`",
            str({name: code for code, name, _ in CODES}[kind["exit"]]),
            kind["doc"],
            f"`{kind['module']}.{kind['name']}`",
        )
        for kind in sorted(error_classes(), key=lambda kind: code_named(kind["name"]))
    ]
    return [*lines, *rows(("code", "exit", "what it is", "class"), body)]


@cache
def error_classes() -> list[dict[str, str]]:
    """Every class of ours below SkintError: name, module, first line of its docstring, exit code.

    Read from the sources: some stand in modules that import torch.
    """
    found: dict[str, dict[str, str]] = {}
    bases: dict[str, list[str]] = {}
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(
                ".__init__"
            )
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    name = node.name
                    bases[name] = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
                    doc = (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ")
                    found[name] = {
                        "name": name,
                        "module": module,
                        "doc": doc,
                        "exit": own_code(node),
                    }

    def lineage(name: str) -> list[str]:
        above = [line for base in bases.get(name, []) if (line := lineage(base))]
        if name == "SkintError":
            return [name]
        return [name, *above[0]] if above else []

    kinds = []
    for name in found:
        line = lineage(name)
        if line and name != "SkintError":
            exit = next((found[one]["exit"] for one in line if found[one]["exit"]), "FAILED")
            kinds.append({**found[name], "exit": exit})
    return kinds


def own_code(node: ast.ClassDef) -> str:
    """The name of the exit code that a class sets, or nothing."""
    by_code = {code: name for code, name, _ in CODES}
    for line in node.body:
        match line:
            case (
                ast.Assign(targets=[ast.Name(id="exit_code")], value=value)
                | ast.AnnAssign(target=ast.Name(id="exit_code"), value=ast.expr() as value)
            ):
                if isinstance(value, ast.Constant):
                    return by_code[int(str(value.value))]
                return ast.unparse(value).rpartition(".")[2]
    return ""
