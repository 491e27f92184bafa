"""Every refusal has a code that never changes, a sentence, and one place on the wire."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import mooring
from mooring.doors.problems import status_of
from mooring.kernel.errors import Exhausted, MooringError, StorageFull, Unavailable

# What the simulator and the collector meet is no answer of ours, and the dialects have shapes of their own.
STRANGERS = ("mooring.simulator.", "mooring.collector.", "mooring.doors.dialects.", "tests.")


def every_error(root: type[MooringError] = MooringError) -> Iterator[type[MooringError]]:
    """Yield every refusal there is in the program."""
    for module in pkgutil.walk_packages(mooring.__path__, "mooring."):
        if module.name.endswith((".errors", ".request")) and not module.name.startswith(STRANGERS):
            importlib.import_module(module.name)
    if not root.__module__.startswith(STRANGERS):
        yield root
    for child in root.__subclasses__():
        yield from every_error(child)


def test_every_refusal_has_a_code_and_a_status() -> None:
    for kind in every_error():
        assert re.fullmatch(r"[a-z][a-z_]+", kind.code), kind
        made = kind.__new__(kind)
        assert 400 <= status_of(made) < 600
        if kind is not MooringError and not issubclass(kind, Unavailable):
            assert status_of(made) < 500, kind


def test_no_refusal_of_a_room_goes_by_the_bare_name_of_its_kind() -> None:
    codes: dict[str, list[str]] = {}
    for kind in every_error():
        codes.setdefault(kind.code, []).append(f"{kind.__module__}.{kind.__name__}")
    inherited = {
        code: kinds for code, kinds in codes.items() if any("kernel" in kind for kind in kinds) and len(kinds) > 1
    }
    assert inherited == {}


def test_a_refusal_is_its_sentence() -> None:
    error = StorageFull("storage is full", hint="free space")
    assert (str(error), error.message, error.hint) == ("storage is full", "storage is full", "free space")
    assert Exhausted("slow down", retry_after_s=2).retry_after_s == 2
