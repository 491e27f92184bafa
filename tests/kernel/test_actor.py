"""Who is asking."""

from __future__ import annotations

import pytest

from mooring.kernel.actor import SYSTEM, Actor


@pytest.mark.parametrize(
    ("actor", "admin"),
    [
        (SYSTEM, True),
        (Actor(kind="user", id="1", name="a", role="admin"), True),
        (Actor(kind="user", id="1", name="a"), False),
        (Actor(kind="user", id="1", name="a", role="auditor"), False),
        (Actor(kind="device", id="1", name="a", role="admin"), False),
    ],
)
def test_only_administrators_and_the_server_itself_are_administrators(actor: Actor, admin: bool) -> None:
    assert actor.is_admin is admin


def test_an_actor_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        SYSTEM.role = "user"  # type: ignore[misc]
