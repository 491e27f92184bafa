"""What is written here makes sense anywhere: no machine's paths, no download addresses, no notes to ourselves."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Collection

from pip._internal.models.index import PyPI
from tests.house.tree import ROOT, texts


def places(pattern: str, *, besides: Collection[str] = ()) -> list[str]:
    """Return path:line of every match of `pattern` in the repository's texts."""
    wanted = re.compile(pattern)
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in texts().items()
        if name not in besides
        for number, line in enumerate(text.splitlines(), 1)
        if wanted.search(line)
    ]


def registries() -> set[str]:
    """Return the hosts that this machine's package tools download from."""
    hosts = {PyPI.netloc, PyPI.file_storage_domain}
    if npm := shutil.which("npm"):
        said = subprocess.run([npm, "config", "get", "registry"], capture_output=True, text=True, check=False).stdout
        hosts |= set(re.findall(r"https?://([^/\s]+)", said))
    return hosts


def test_no_package_registry_is_named() -> None:
    assert places("|".join(re.escape(host) for host in sorted(registries()))) == []


def test_locks_hold_no_addresses() -> None:
    locks = [name for name in texts() if re.fullmatch(r"requirements[\w-]*\.txt|(?:.*/)?package-lock\.json", name)]
    assert len(locks) > 1
    assert [name for name in locks if name.endswith(".txt") and "://" in texts()[name]] == []
    assert [name for name in locks if '"resolved"' in texts()[name]] == []


def test_no_path_of_one_machine_is_named() -> None:
    assert places(r"(?<![\w.~*-])/(?:work|root|home/\w+)/", besides={"tests/house/test_text.py"}) == []


def test_nothing_reaches_outside_the_repository() -> None:
    assert places(r"\.\./" + "shared", besides={".ci/run"}) == []


def test_no_text_speaks_of_a_ticket() -> None:
    assert places(r"(?i)\bissues?[ _-]*#?[0-9]") == []


def test_no_line_is_a_note_to_ourselves() -> None:
    assert places(r"\b(?:TODO|FIXME|XXX)\b", besides={"tests/house/test_text.py"}) == []


def test_every_file_ends_with_a_newline() -> None:
    # Recorded bytes end where they were recorded to end.
    written = {name: text for name, text in texts().items() if not name.startswith("tests/vectors/")}
    assert [name for name, text in written.items() if text and not text.endswith("\n")] == []


def test_readme_shows_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make run" in readme
    assert "make test" in readme
