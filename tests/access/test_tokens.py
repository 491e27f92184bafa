"""Access tokens by RFC 8725: only ours, only this algorithm, only for this use, only for ten minutes."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.access.conftest import WoundClock

from mooring.access.errors import NotAuthenticated
from mooring.access.tokens import AUDIENCE, ISSUER, TOKEN_TYPE, AccessTokens

SECRET = bytes(range(32))


def claims(clock: WoundClock, **changed: Any) -> dict[str, Any]:
    now_s = int(clock.now().timestamp())
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "user",
        "sid": "session",
        "jti": "one",
        "typ": TOKEN_TYPE,
        "iat": now_s,
        "exp": now_s + 600,
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def signed(payload: dict[str, Any], *, secret: bytes = SECRET, algorithm: str = "HS256", typ: str = TOKEN_TYPE) -> str:
    return jwt.encode(payload, secret, algorithm=algorithm, headers={"typ": typ})


def refused(clock: WoundClock, token: str) -> None:
    with pytest.raises(NotAuthenticated):
        AccessTokens(SECRET, clock).read(token)


def test_a_token_says_whose_it_is_for_ten_minutes(clock: WoundClock) -> None:
    tokens = AccessTokens(SECRET, clock)
    token, lives_s = tokens.sign("user", "session")
    assert lives_s == 600
    read = tokens.read(token)
    assert (read.user_id, read.session_id) == ("user", "session")
    clock.wind(seconds=599)
    tokens.read(token)
    clock.wind(seconds=1)
    refused(clock, token)


def test_a_token_bears_every_claim_it_should(clock: WoundClock) -> None:
    token, _ = AccessTokens(SECRET, clock).sign("user", "session")
    payload = jwt.decode(token, options={"verify_signature": False})
    assert set(payload) == {"iss", "aud", "sub", "sid", "jti", "typ", "iat", "exp"}
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": TOKEN_TYPE}


def test_two_tokens_of_one_moment_differ(clock: WoundClock) -> None:
    tokens = AccessTokens(SECRET, clock)
    assert tokens.sign("user", "session") != tokens.sign("user", "session")


@pytest.mark.parametrize(
    "changed",
    [{name: None} for name in ("iss", "aud", "sub", "sid", "jti", "typ", "iat", "exp")]
    + [{"iss": "other"}, {"aud": "other"}, {"typ": "JWT"}, {"sid": 7}, {"sub": 7}, {"exp": "soon"}, {"exp": 1}],
)
def test_a_token_that_lacks_or_bends_a_claim_is_refused(clock: WoundClock, changed: dict[str, Any]) -> None:
    refused(clock, signed(claims(clock, **changed)))


def test_tokens_of_another_secret_algorithm_or_type_are_refused(clock: WoundClock) -> None:
    refused(clock, signed(claims(clock), secret=bytes(32)))
    refused(clock, signed(claims(clock), secret=SECRET * 2, algorithm="HS512"))
    refused(clock, signed(claims(clock), typ="JWT"))


def test_a_token_without_a_signature_is_refused(clock: WoundClock) -> None:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    body = part(claims(clock))
    for algorithm in ("none", "None", "NONE", ""):
        refused(clock, f"{part({'alg': algorithm, 'typ': TOKEN_TYPE})}.{body}.")


@given(position=st.integers(0, 10_000), letter=st.sampled_from("Aa0_-."))
def test_a_token_changed_anywhere_is_refused(position: int, letter: str) -> None:
    clock = WoundClock()
    token, _ = AccessTokens(SECRET, clock).sign("user", "session")
    # The last letter carries spare bits, so another one may spell the same signature.
    place = position % (len(token) - 1)
    if token[place] != letter:
        refused(clock, token[:place] + letter + token[place + 1 :])


@given(st.text(alphabet=st.characters(), max_size=200))
def test_text_that_is_no_token_is_refused(text: str) -> None:
    refused(WoundClock(), text)
    refused(WoundClock(), f"{text}.{text}.{text}")
