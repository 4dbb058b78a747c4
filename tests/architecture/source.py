"""The project's Python files and their syntax trees, and what a broken rule looks like."""

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

PRODUCT = ("bot", "cogs", "services", "migrations")
"""Folders that need not exist yet."""

type Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One Python file; `path` is relative to the checkout, with slashes."""

    path: str
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    def is_in(self, *folders: str) -> bool:
        return any(self.path.startswith(f"{folder}/") for folder in folders)


type Rule = Callable[[SourceFile], Iterable[str]]
"""Returns a sentence, with its line, for each place that breaks the rule."""


def parsed(text: str, path: str = "services/example.py") -> SourceFile:
    """Make a file of a text, for trying a rule."""
    return SourceFile(path, text, ast.parse(text))


@cache
def python_files(*folders: str) -> tuple[SourceFile, ...]:
    """Read all files below the folders that exist."""
    paths = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return tuple(
        parsed(path.read_text("utf-8"), path.relative_to(ROOT).as_posix()) for path in paths
    )


def holds(rule: Rule, files: Iterable[SourceFile]) -> None:
    """Fail with every place that breaks the rule, as an editor can open it."""
    broken = [f"{file.path}:{place}" for file in files for place in rule(file)]
    assert not broken, "\n".join(["", *broken])


def functions(file: SourceFile) -> Iterator[Function]:
    """Find all functions and methods, nested ones too."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imports(file: SourceFile) -> Iterator[tuple[int, str]]:
    """Find what is imported, by its full dotted name, with its line."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def is_of(name: str, package: str) -> bool:
    """Say whether a dotted name is the package or lies within."""
    return name == package or name.startswith(f"{package}.")
