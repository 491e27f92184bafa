"""A stranger finds a room by its name, and every file says what it is for."""

from __future__ import annotations

import ast

from tests.house.tree import modules, syntax

# Names that say where leftovers went, not what is inside.
EMPTY_NAMES = {"util", "utils", "helper", "helpers", "common", "core", "manager", "managers", "base", "misc", "stuff"}
LONGEST_DOCSTRING = 8


def test_no_module_has_an_empty_name() -> None:
    assert [str(path) for path in modules() if {*path.with_suffix("").parts} & EMPTY_NAMES] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [str(path) for path in modules() if not (ast.get_docstring(syntax(path)) or "").strip()]
    assert silent == []


def test_a_module_says_it_briefly() -> None:
    lengths = {
        str(path): len((ast.get_docstring(syntax(path)) or "").splitlines())
        for path in modules()
        if path.name != "__init__.py"  # a room may explain its words and events
    }
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_DOCSTRING} == {}


def test_nothing_is_left_unfinished() -> None:
    unfinished = [
        f"{path}:{node.lineno}"
        for path in modules()
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Raise) and "NotImplementedError" in ast.unparse(node)
    ]
    assert unfinished == []
