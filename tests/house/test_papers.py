"""The papers beside the code: changelog, decisions, links, and why each dependency is there."""

from __future__ import annotations

import re
import tomllib
from itertools import chain

import pytest
from tests.house.tree import ROOT, texts

import mooring

DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
PARTS = ["Context", "Decision", "Consequences", "Check"]


def pages() -> list[str]:
    """Return the Markdown files of the repository."""
    return [name for name in texts() if name.endswith(".md") and not name.startswith("console/node_modules")]


def dependencies() -> set[str]:
    """Return the names of what the program needs to run, the extras included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    return {re.split(r"[\[<>=;~ ]", each)[0].lower() for each in wanted}


def test_changelog_tells_of_this_version() -> None:
    assert re.search(rf"^## {re.escape(mooring.__version__)}\b", texts()["CHANGELOG.md"], re.MULTILINE)


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_decision_has_its_five_parts(path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.match(rf"# {path.stem[:4]} · \S", text), "the title is the first part"
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS


def test_decisions_are_numbered_without_gaps() -> None:
    assert [path.stem[:4] for path in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]


def test_every_dependency_has_its_reason() -> None:
    reasons = texts()["docs/decisions/0005-dependencies.md"]
    told = {name.lower() for name in re.findall(r"^\| ([\w-]+)(?:\[\w+\])? \|", reasons, re.MULTILINE)}
    assert dependencies() <= told
    assert told - dependencies() <= {"package", "---"}


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page}: {target}"
        for page in pages()
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", texts()[page])
        if "://" not in target and not (ROOT / page).parent.joinpath(target).exists()
    ]
    assert broken == []
