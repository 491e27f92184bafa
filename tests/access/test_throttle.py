"""The throttle: counts by account and by network, forgets with time, never grows without end."""

from __future__ import annotations

import pytest
from tests.access.conftest import WoundClock

from mooring.access.errors import LogInThrottled
from mooring.access.throttle import Buckets, Throttle, network_of


def test_a_bucket_gives_its_uses_and_then_one_at_a_time(clock: WoundClock) -> None:
    bucket = Buckets(clock, size=3, refill_s=10)
    for _ in range(3):
        assert bucket.wait_s("a") == 0
        bucket.spend("a")
    assert bucket.wait_s("a") == pytest.approx(10)
    clock.wind(seconds=10)
    assert bucket.wait_s("a") == pytest.approx(0)
    bucket.spend("a")
    assert bucket.wait_s("a") == pytest.approx(10)
    clock.wind(seconds=40)
    for _ in range(3):
        bucket.spend("a")
    assert bucket.wait_s("b") == 0


def test_buckets_never_remember_more_names_than_they_may(clock: WoundClock) -> None:
    bucket = Buckets(clock, size=1, refill_s=10, most=100)
    for number in range(1000):
        bucket.spend(str(number))
    assert len(bucket) == 100
    assert bucket.wait_s("999") > 0


def test_a_network_that_tries_many_accounts_is_slowed_down(clock: WoundClock) -> None:
    throttle = Throttle(clock)
    for number in range(100):
        throttle.check(f"account {number}", f"192.0.2.{number}")
        throttle.failed(f"account {number}", f"192.0.2.{number}")
    with pytest.raises(LogInThrottled):
        throttle.check("another", "192.0.2.250")
    throttle.check("another", "198.51.100.1")


def test_registrations_from_one_network_are_counted(clock: WoundClock) -> None:
    throttle = Throttle(clock)
    for _ in range(30):
        throttle.registering("2001:db8::1")
    with pytest.raises(LogInThrottled):
        throttle.registering("2001:db8::2")
    throttle.registering("2001:db8:0:1::1")
    clock.wind(minutes=2)
    throttle.registering("2001:db8::3")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_an_address_belongs_to_a_network(address: str, network: str) -> None:
    assert network_of(address) == network
