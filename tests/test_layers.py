"""The rooms: who may import whom. Imports inside functions count as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("skint", "budget", "jobs", "notifiers", "orchestrator")

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "skint": ("skint",),
    "budget": ("budget", "skint.errors"),
    "notifiers": ("notifiers", "skint.errors"),
    "jobs": ("jobs", "skint"),
    "orchestrator": ROOMS,
}


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(file): file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))}


def imports_of(module: str, *, at_run_time: bool = False) -> Iterator[tuple[str, int]]:
    """Each of our modules that `module` imports, with the line; `at_run_time` leaves out those
    that stand under `if TYPE_CHECKING`."""
    file = FILES[module]
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if at_run_time and node in for_types:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = imported_from(node, package)
        else:
            continue
        for name in names:
            if name.partition(".")[0] in ROOMS:
                yield name, node.lineno


def imported_from(node: ast.ImportFrom, package: str) -> list[str]:
    """`from a import b` imports the module a.b if there is one, else the name b of the module a."""
    parts = package.split(".")
    above = parts[: len(parts) - node.level + 1] if node.level else []
    base = ".".join([*above, *([node.module] if node.module else [])])
    submodules = [f"{base}.{alias.name}" for alias in node.names]
    return [name if name in FILES else base for name in submodules]


def within(name: str, allowed: str) -> bool:
    return name == allowed or name.startswith(f"{allowed}.")


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    modules = [module for module in FILES if within(module, room)]
    strangers = [
        f"{FILES[module].relative_to(ROOT)}:{line} imports {name}"
        for module in modules
        for name, line in imports_of(module)
        if not any(within(name, allowed) for allowed in MAY_IMPORT[room])
    ]
    assert modules, f"{room} has no files"
    assert strangers == []


def test_files_do_not_import_each_other_in_a_circle() -> None:
    graph = {
        module: {
            name
            for name, _ in imports_of(module, at_run_time=True)
            if name != module and name in FILES
        }
        for module in FILES
    }
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail("import circle: " + " -> ".join(reversed(error.args[1])))
    assert len(order) == len(FILES)


def test_only_the_command_line_imports_the_command_line() -> None:
    importers = [
        f"{FILES[module].relative_to(ROOT)}:{line} imports {name}"
        for module in FILES
        if not within(module, "orchestrator.cli")
        for name, line in imports_of(module)
        if within(name, "orchestrator.cli")
    ]
    assert importers == []


def test_every_import_of_ours_exists() -> None:
    missing = [
        f"{FILES[module].relative_to(ROOT)}:{line} imports {name}"
        for module in FILES
        for name, line in imports_of(module)
        if name not in FILES and name not in ROOMS
    ]
    assert missing == []


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    lengths = {
        str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines())
        for file in FILES.values()
    }
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}
