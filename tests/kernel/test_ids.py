"""Secrets have enough chance in them, and are kept only as digests."""

from __future__ import annotations

import re
import uuid

from mooring.kernel.ids import digest_of, new_id, new_token


def test_ids_are_uuids_and_never_twice_the_same() -> None:
    made = {new_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(str(uuid.UUID(one)) == one for one in made)


def test_tokens_have_192_bits_and_fit_headers_and_addresses() -> None:
    made = {new_token("dev") for _ in range(1000)}
    assert len(made) == 1000
    for token in made:
        prefix, _, secret = token.partition("_")
        assert prefix == "dev"
        assert re.fullmatch(r"[\w-]{32}", secret)


def test_a_digest_tells_nothing_and_is_always_the_same() -> None:
    assert digest_of("secret") == digest_of("secret") != digest_of("Secret")
    assert re.fullmatch(r"[0-9a-f]{64}", digest_of("\ud800 anything \0"))
