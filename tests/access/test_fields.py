"""What people may type: names, addresses, passwords, labels, scopes, and what is refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.access.errors import FieldInvalid
from mooring.access.fields import email_of, folded, is_id, label_of, name_key, password_of, scopes_of, username_of
from mooring.kernel.ids import new_id


@pytest.mark.parametrize("name", ["ada", "Ada.Lovelace", "r2-d2", "søren_k", "王小明", "ab"])
def test_names_of_any_script_are_taken(name: str) -> None:
    assert username_of(f" {name} ") == name


@pytest.mark.parametrize(
    "name",
    ["", "a", " ", "a b", "a@b", "a\0b", "a\nb", "\ud800x", ".ada", "ada-", "x" * 65, "a/b", "<b>", "ad\u202ea"],
)
def test_names_nobody_should_have_are_refused(name: str) -> None:
    with pytest.raises(FieldInvalid):
        username_of(name)


@pytest.mark.parametrize("email", ["a@b.cd", "first.last+tag@sub.example.org", "ü@exämple.de"])
def test_addresses_are_taken_by_their_shape(email: str) -> None:
    assert email_of(f" {email}") == email


@pytest.mark.parametrize("email", ["", "a", "a@b", "@b.cd", "a@", "a b@c.de", "a@b..", "a@b.c\0d", "x" * 250 + "@b.cd"])
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(FieldInvalid):
        email_of(email)


@pytest.mark.parametrize(
    "password", ["", "short", "aaaaaaaaaaaa", "abababababab", "adalovelace", "x\0yzabcde", "a" * 257]
)
def test_passwords_that_protect_nothing_are_refused(password: str) -> None:
    with pytest.raises(FieldInvalid):
        password_of(password, username="AdaLovelace")


def test_a_password_is_kept_letter_by_letter() -> None:
    assert password_of(" pässword\t✓ ", username="ada") == " pässword\t✓ "


def test_labels_are_one_line_and_not_empty() -> None:
    assert label_of(" my key ") == "my key"
    for label in ("", "  ", "a\nb", "x" * 101, "\ud800"):
        with pytest.raises(FieldInvalid):
            label_of(label)


def test_scopes_are_known_and_some() -> None:
    assert scopes_of(["data:read", "*", "data:read"]) == ("*", "data:read")
    for scopes in ([], ["users:manage"], ["root"]):
        with pytest.raises(FieldInvalid):
            scopes_of(scopes)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.text(alphabet=st.characters(), max_size=300))
def test_whatever_is_typed_as_a_name_can_be_looked_up_or_is_nobody(text: str) -> None:
    key = name_key(text)
    assert key is None or (key.encode() and "\0" not in key)


def test_ids_are_recognised() -> None:
    assert is_id(new_id())
    for text in ("", "1", new_id().upper(), new_id() + "\n", "a\0"):
        assert not is_id(text)
