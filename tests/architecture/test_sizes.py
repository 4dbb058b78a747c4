"""Files, functions and nesting stay small enough to be read at one go."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import (
    PRODUCT,
    SourceFile,
    functions,
    holds,
    parsed,
    python_files,
)

FILE_LINES = 500
FUNCTION_LINES = 60
DEPTH = 3

_Block = (
    ast.If | ast.For | ast.AsyncFor | ast.While | ast.With | ast.AsyncWith | ast.Try | ast.Match
)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def long_files(file: SourceFile) -> Iterator[str]:
    lines = file.text.count("\n")
    if lines > FILE_LINES:
        yield f"1: {lines} lines"


def long_functions(file: SourceFile) -> Iterator[str]:
    for function in functions(file):
        lines = (function.end_lineno or 0) - function.lineno + 1
        if lines > FUNCTION_LINES:
            yield f"{function.lineno}: {function.name} has {lines} lines"


def deep_functions(file: SourceFile) -> Iterator[str]:
    for function in functions(file):
        depth = max((_depth(statement) for statement in function.body), default=0)
        if depth > DEPTH:
            yield f"{function.lineno}: {function.name} is {depth} blocks deep"


def _depth(node: ast.AST) -> int:
    """Count the blocks within each other; a function inside begins anew."""
    if isinstance(node, _SCOPES):
        return 0
    own = int(isinstance(node, _Block))
    return own + max((_depth_below(node, child) for child in ast.iter_child_nodes(node)), default=0)


def _depth_below(parent: ast.AST, child: ast.AST) -> int:
    """Take an `elif` as a neighbour of its `if`, not as something within."""
    if isinstance(parent, ast.If) and parent.orelse == [child] and isinstance(child, ast.If):
        return _depth(child) - 1
    return _depth(child)


def test_no_file_is_longer_than_500_lines() -> None:
    holds(long_files, python_files(*PRODUCT, "tests"))


def test_no_function_is_longer_than_60_lines() -> None:
    holds(long_functions, python_files(*PRODUCT, "tests"))


def test_no_function_is_nested_deeper_than_3_blocks() -> None:
    holds(deep_functions, python_files(*PRODUCT, "tests"))


# ── the rules themselves ────────────────────────────────────────────────────
DEEP = """
def f():
    for a in b:
        if a:
            with a:
                while a:
                    g()
"""
ELIF_CHAIN = """
def f():
    for a in b:
        if a == 1:
            g()
        elif a == 2:
            g()
        elif a == 3:
            g()
        else:
            with a:
                g()
"""


def test_rule_sees_a_block_too_deep() -> None:
    assert list(deep_functions(parsed(DEEP))) == ["2: f is 4 blocks deep"]


def test_rule_takes_an_elif_chain_as_one_level() -> None:
    assert list(deep_functions(parsed(ELIF_CHAIN))) == []


@pytest.mark.parametrize(("lines", "found"), [(60, 0), (61, 1)])
def test_rule_counts_a_functions_lines(lines: int, found: int) -> None:
    text = "def f():\n" + "    g()\n" * (lines - 1)
    assert len(list(long_functions(parsed(text)))) == found


@pytest.mark.parametrize(("lines", "found"), [(500, 0), (501, 1)])
def test_rule_counts_a_files_lines(lines: int, found: int) -> None:
    assert len(list(long_files(parsed("a = 1\n" * lines)))) == found
