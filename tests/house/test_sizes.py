"""Nothing in the package grows past what one reads in one go."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import ROOT, modules, syntax

LONGEST_FILE = 400
LONGEST_FUNCTION = 50
MOST_PARAMETERS = 5

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> Iterator[tuple[Path, Function]]:
    """Yield every function of the package with its file."""
    for path in modules():
        for node in ast.walk(syntax(path)):
            if isinstance(node, Function):
                yield path, node


def test_files_have_at_most_400_lines() -> None:
    lengths = {str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_functions_have_at_most_50_lines() -> None:
    lengths = {f"{path}:{node.name}": (node.end_lineno or 0) - node.lineno + 1 for path, node in functions()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_functions_take_at_most_5_positional_parameters() -> None:
    def count(node: Function) -> int:
        names = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
        return len(names[1:] if names[:1] in (["self"], ["cls"]) else names)

    counts = {f"{path}:{node.name}": count(node) for path, node in functions()}
    assert {name: parameters for name, parameters in counts.items() if parameters > MOST_PARAMETERS} == {}
