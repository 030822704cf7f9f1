"""A digest of the code of a job: the syntax trees of its first-party import closure.

Found by reading, never by importing. First-party is what the user, or we, change between two runs:
the plan's folder, `skint` and `jobs`. Other people's packages do not count. Comments, docstrings,
blank lines and annotations' spelling of quotes do not change a tree, so they rerun nothing. Of our
own packages, a template that a module names counts with the module.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.plans.digest import digest_of
from orchestrator.plans.parsed import ParsedFiles

OURS = ("skint", "budget", "jobs", "notifiers", "orchestrator")
"""Our top-level packages: in a worker they are found before a file of the same name."""


_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
"""Where a statement keeps statements."""


_NOT_FIRST_PARTY = re.compile(r"/(?:site|dist)-packages/|/lib\w*/python3[\d.]*t?/")
"""In the path of what was installed, or came with Python."""


@dataclass(frozen=True)
class _File:
    digest: str
    imports: tuple[str, ...]
    """Imported modules; `package.name` for `from package import name`, which may be one."""
    data: tuple[Path, ...] = ()
    """Of our own modules: files beside it, not code, whose names stand in it."""


class SourceTree:
    """Reads the code beside one plan, each file once; `remembered` keeps what it found there.

    `code` is what is known already of jobs' code, by `uses`.
    """

    def __init__(
        self,
        base: Path,
        remembered: Path | None = None,
        code: Mapping[str, dict[str, object]] | None = None,
    ) -> None:
        self._base = base.resolve()
        self._parsed = ParsedFiles(remembered, Path(__file__))
        self._files: dict[tuple[Path, str], _File] = {}
        self._package_folders: dict[str, Path | None] = {}
        self._imported: dict[tuple[Path, str], list[tuple[str, Path]]] = {}
        self._code: dict[str, dict[str, object]] = dict(code or {})

    def digest(self, uses: str) -> str:
        """SHA-256 over the closure of a built-in job, `module:function` or `./file.py:function`.

        A module that is not first-party has no files here; then the target's name is all there is.
        """
        return digest_of(self.code(uses))

    def code(self, uses: str) -> dict[str, object]:
        """What `digest` is made of: the target's name, and a digest for each file by its module.

        Files that are not code stand under the module that names them: `jobs.errors.job x.html`.
        """
        if uses not in self._code:
            files: list[tuple[str, str]] = []
            for name, path in self.closure(uses):
                file = self._read(path, name)
                files.append((name, file.digest))
                for data in file.data:
                    content = hashlib.sha256(data.read_bytes()).hexdigest()
                    files.append((f"{name} {data.name}", content))
            # Pairs, not a dictionary: where two folders have a module, both files count.
            self._code[uses] = {"target": uses.rpartition(":")[2], "files": sorted(files)}
        return self._code[uses]

    def stands_beside_the_plan(self, uses: str) -> bool:
        """Whether the module of `module:name` is a file in the plan's folder, or ours."""
        # Not by `_start`: it would make first-party whatever is installed under that name.
        return any(True for _ in self._find(uses.rpartition(":")[0], beside=()))

    def is_first_party(self, script: Path) -> bool:
        """Whether a file is the user's: not installed, nor of the standard library."""
        return _NOT_FIRST_PARTY.search(script.resolve().as_posix()) is None

    def closure(self, uses: str) -> list[tuple[str, Path]]:
        """Module name and file of everything first-party that the job's code imports."""
        found: dict[Path, str] = {}
        waiting = list(self._start(uses))
        while waiting:
            name, path = waiting.pop()
            if path in found:
                continue
            found[path] = name
            waiting += self._imports_of(path, name)
        return sorted((name, path) for path, name in found.items())

    def _start(self, uses: str) -> Iterator[tuple[str, Path]]:
        target, _, _ = uses.rpartition(":")
        if not target:
            from jobs import BUILTIN

            yield from self._find(BUILTIN[uses].partition(":")[0], beside=())
        elif target.endswith(".py"):
            path = (self._base / target).resolve()
            if path.is_file():
                yield path.stem, path
        else:
            top = target.partition(".")[0]
            if not self._package_folders_of(top, ()):
                # Installed, perhaps from a folder that is being edited: then it is first-party too.
                self._package_folders[top] = installed_folder(top)
            yield from self._find(target, beside=())

    def _imports_of(self, path: Path, name: str) -> list[tuple[str, Path]]:
        if (path, name) not in self._imported:
            ours = name.partition(".")[0] in OURS  # they import nothing of a user's by name
            # A script's own folder is on the path of `python script.py`, and of `./file.py:fit`,
            # wherever it stands; for the modules of a package beside it that is further up.
            beside = (_root_of(path, name), path.parent)
            found: dict[Path, str] = {}
            for module in self._read(path, name).imports:
                if not ours or module.partition(".")[0] in OURS:
                    for full, file in self._find(module, beside):
                        found.setdefault(file, full)
            self._imported[path, name] = [(full, file) for file, full in found.items()]
        return self._imported[path, name]

    def _find(self, module: str, beside: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
        """Files that importing `module` runs: its packages' `__init__` and itself.

        Where two folders have it, both count: which one Python finds first depends on how the
        program is started.
        """
        parts = module.split(".")
        for start in self._package_folders_of(parts[0], beside):
            folder = start
            for length, part in enumerate(parts, 1):
                package, plain = folder / part / "__init__.py", folder / f"{part}.py"
                if package.is_file():
                    yield ".".join(parts[:length]), package
                elif plain.is_file():
                    yield ".".join(parts[:length]), plain
                    break  # what follows is an attribute
                folder = folder / part

    def _package_folders_of(self, top: str, beside: tuple[Path, ...]) -> list[Path]:
        """The folders that hold the first-party top-level module `top`."""
        if top in OURS and top not in self._package_folders:
            self._package_folders[top] = installed_folder(top)
        known: Path | None = self._package_folders.get(top)
        if known is not None or top in OURS:
            return [] if known is None else [known]
        return [
            folder
            for folder in dict.fromkeys((self._base, *beside))
            if top and ((folder / f"{top}.py").is_file() or (folder / top).is_dir())
        ]

    def _read(self, path: Path, name: str) -> _File:
        if (path, name) not in self._files:
            self._files[path, name] = _parse(path, name, self._parsed)
        return self._files[path, name]

    def remember(self) -> None:
        """Keep what was found for the next command."""
        self._parsed.save()


def _root_of(path: Path, name: str) -> Path:
    """The folder from which the file `path` is the module `name`."""
    is_package = path.name == "__init__.py" and name.rpartition(".")[2] != "__init__"
    return path.parents[name.count(".") + is_package]


def _data_beside(path: Path, content: bytes) -> Iterator[Path]:
    """Files beside a module, not code, that it names: `report.html.j2`."""
    for file in sorted(path.parent.iterdir()):
        if file.suffix not in (".py", ".pyc") and file.is_file() and file.name.encode() in content:
            yield file


def installed_folder(top: str) -> Path | None:
    """The folder on the path that holds the top-level module `top`; nothing is imported."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).parent
    return Path(spec.origin).parent if spec.has_location and spec.origin else None


def _parse(path: Path, name: str, parsed: ParsedFiles) -> _File:
    content = path.read_bytes()
    # Of a user's code it would be a guess: what a script names may be what it writes.
    data = tuple(_data_beside(path, content)) if name.partition(".")[0] in OURS else ()
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    said = parsed.get(content, package)
    if said is not None:
        return _File(*said, data)
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        # Not for us to complain about: the worker will, with the line.
        return _File(hashlib.sha256(content).hexdigest(), (), data)
    imports = tuple(dict.fromkeys(_imports_without_docstrings(tree, package)))
    digest = _digest_of(tree)
    parsed.put(content, package, (digest, imports))
    return _File(digest, imports, data)


def _digest_of(tree: ast.Module) -> str:
    """SHA-256 of what the tree says; positions, and fields that are empty, are left out.

    Faster than `ast.dump`, and the same on a Python that adds a field to a statement.
    """
    tokens: list[str] = []
    fields: dict[type, list[str]] = {}
    waiting: list[object] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.AST):
            kind = type(node)
            if kind not in fields:  # `ctx` follows from where a name stands
                fields[kind] = [name for name in kind._fields if name not in ("ctx", "kind")]
            tokens.append(kind.__name__)
            for name in fields[kind]:
                value = getattr(node, name, None)
                if value is not None and value != []:
                    tokens.append(name)
                    waiting.append(value)
        elif isinstance(node, list):
            tokens.append(f"[{len(node)}]")
            waiting += node
        else:
            tokens.append(repr(node))
    return hashlib.sha256("\n".join(tokens).encode("utf-8", "surrogatepass")).hexdigest()


def _imports_without_docstrings(tree: ast.Module, package: str) -> Iterator[str]:
    """What the statements of `tree` import. Takes the docstrings out of it on the way."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, package)
            for alias in node.names:
                yield f"{module}.{alias.name}"
        elif isinstance(node, ast.If) and _is_type_checking(node.test):
            waiting += node.orelse
        else:
            for block in _BLOCKS:
                inner = getattr(node, block, None)
                if isinstance(inner, list):  # the body of a lambda or a ternary is none
                    inner[:] = [line for line in inner if not _is_text(line)]
                    waiting += inner


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    parts = parts[: len(parts) - (node.level - 1)]
    return ".".join([*parts, *([node.module] if node.module else [])]).strip(".")


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


def _is_text(line: ast.AST) -> bool:
    """Text that stands alone: docstrings, those of attributes too."""
    return (
        isinstance(line, ast.Expr)
        and isinstance(line.value, ast.Constant)
        and isinstance(line.value.value, str)
    )
