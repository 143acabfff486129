"""Failed attempts, with a given clock: how many there are, and what is remembered of them."""

import pytest

from hub.web.attempts import Attempts, Limit, Rate, network_of


def allowed(limit: Limit, key: str, now: float) -> int:
    """How many attempts a key has at a time; they are taken."""
    taken = 0
    while limit.wait(key, now) == 0:
        limit.take(key, now)
        taken += 1
    return taken


def test_a_key_has_a_burst_and_then_one_attempt_at_a_time() -> None:
    limit = Limit(Rate(burst=5, seconds=10))
    assert [allowed(limit, "key", now) for now in (100, 100, 109, 110, 119, 130)] == [
        *(5, 0, 0, 1, 0, 2)
    ]
    assert [limit.wait("key", now) for now in (130, 134, 140)] == [10, 6, 0]


def test_a_key_that_rests_has_its_burst_again_and_no_more() -> None:
    limit = Limit(Rate(burst=5, seconds=10))
    assert [allowed(limit, "key", now) for now in (0, 50, 1_000_000)] == [5, 5, 5]


def test_keys_do_not_spend_each_others_attempts() -> None:
    limit = Limit(Rate(burst=2, seconds=1))
    assert [allowed(limit, key, 0) for key in ("one", "two", "one")] == [2, 2, 0]


def test_an_attempt_that_is_given_back_is_there_again() -> None:
    limit = Limit(Rate(burst=2, seconds=10))
    for _ in range(100):
        limit.take("key", 0)
        limit.give_back("key")
    limit.give_back("unknown")
    assert allowed(limit, "key", 0) == 2


def test_the_keys_that_tried_longest_ago_are_forgotten() -> None:
    limit = Limit(Rate(burst=1, seconds=10), most=3)
    for key in ("one", "two", "three", "one", "four"):
        limit.take(key, 0)
    assert [limit.wait(key, 0) > 0 for key in ("one", "two", "three", "four")] == [
        *(True, False, True, True)
    ]


@pytest.fixture
def time() -> list[float]:
    """The time that a clock shows, as its one item."""
    return [1000.0]


@pytest.fixture
def attempts(time: list[float]) -> Attempts:
    """Attempts under a given clock."""
    return Attempts(lambda: time[0])


def test_a_token_prefix_has_thirty_attempts_from_wherever(
    attempts: Attempts, time: list[float]
) -> None:
    tried = [attempts.begin(f"192.0.2.{n}", f"gt_badxx{n}") for n in range(40)]
    assert tried == [0] * 30 + [10] * 10
    time[0] += 3.5
    assert attempts.begin("192.0.2.77", "gt_badxx") == 7
    assert attempts.begin("192.0.2.77", "gt_other") == 0
    time[0] += 6.5
    assert [attempts.begin("192.0.2.77", "gt_badxx") for _ in range(2)] == [0, 10]


def test_an_address_has_a_hundred_and_twenty_attempts(
    attempts: Attempts, time: list[float]
) -> None:
    tried = [attempts.begin("192.0.2.1", f"gt_{n:05}") for n in range(130)]
    assert tried == [0] * 120 + [1] * 10
    assert attempts.begin("192.0.2.2", "gt_00129") == 0
    time[0] += 3
    assert [attempts.begin("192.0.2.1", f"gt_x{n:04}") for n in range(4)] == [0, 0, 0, 1]


def test_a_token_that_is_refused_unseen_costs_its_address_nothing(
    attempts: Attempts, time: list[float]
) -> None:
    """One program with a bad token leaves its neighbours behind the same gateway their attempts."""
    for _ in range(10_000):
        attempts.begin("192.0.2.1", "gt_always the same")
        time[0] += 0.01
    assert [attempts.begin("192.0.2.1", f"gt_{n:05}") for n in range(100)] == [0] * 100


def test_good_tokens_cost_nothing(attempts: Attempts) -> None:
    for n in range(1000):
        token = f"gt_{n % 2}same prefix"
        assert attempts.begin("192.0.2.1", token) == 0
        attempts.succeeded("192.0.2.1", token)


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%a\nb", "fe80::/64"),
        ("", "unknown"),
        ("a host", "unknown"),
        ("192.0.2.1\n", "unknown"),
    ],
)
def test_an_address_is_what_one_customer_has(host: str, network: str) -> None:
    assert network_of(host) == network
