"""A publisher's share: its own requests push each other out, and nobody else's."""

from contextlib import ExitStack

import pytest

from hub.errors import ShareExceeded
from hub.intake.shares import FAULTS_A_SECOND, FAULTS_AT_ONCE, LONGEST_PAUSE, Shares


@pytest.fixture
def turned_away() -> list[str]:
    """Whose requests were turned away."""
    return []


@pytest.fixture
def time() -> list[float]:
    """The time, in seconds, as its only item."""
    return [0.0]


@pytest.fixture
def shares(turned_away: list[str], time: list[float]) -> Shares:
    return Shares(requests=2, size=100, exceeded=turned_away.append, monotonic=lambda: time[0])


def test_so_many_requests_of_a_publisher_are_under_way_at_once(
    shares: Shares, turned_away: list[str]
) -> None:
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(shares.claim("loud"))
        with pytest.raises(ShareExceeded) as told:
            stack.enter_context(shares.claim("loud"))
        assert (told.value.retry_after, told.value.retryable) == (1, True)
        stack.enter_context(shares.claim("other"))
    assert turned_away == ["loud"]
    with shares.claim("loud"), shares.claim("loud"):
        assert turned_away == ["loud"]


def test_so_many_bytes_of_a_publisher_are_under_way_at_once(
    shares: Shares, turned_away: list[str]
) -> None:
    with shares.claim("loud") as first:
        first.add(60)
        with shares.claim("loud") as second:
            second.add(40)
            with pytest.raises(ShareExceeded):
                second.add(1)
            with shares.claim("other") as others:
                others.add(100)
        with shares.claim("loud") as third:
            third.add(40)
    assert turned_away == ["loud"]


def test_a_request_that_is_alone_may_be_larger_than_the_share(
    shares: Shares, turned_away: list[str]
) -> None:
    with shares.claim("loud") as alone:
        alone.add(1_000)
        with shares.claim("loud") as second, pytest.raises(ShareExceeded):
            second.add(1)
        alone.add(1_000)
    assert turned_away == ["loud"]


def test_what_fails_gives_its_share_back(shares: Shares) -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), shares.claim("loud") as claim:
            claim.add(90)
            raise ZeroDivisionError
    with shares.claim("loud") as one, shares.claim("loud") as other:
        one.add(50)
        other.add(50)


def test_so_many_faults_of_a_publisher_are_told_at_once_and_then_one_after_the_other(
    shares: Shares, turned_away: list[str], time: list[float]
) -> None:
    shares.faulted("loud", FAULTS_AT_ONCE)
    with shares.claim("loud"):
        pass
    shares.faulted("loud", 5 * FAULTS_A_SECOND)
    with pytest.raises(ShareExceeded) as told, shares.claim("loud"):
        pass
    assert told.value.retry_after == 5
    with shares.claim("other"):
        pass
    time[0] += 5
    with shares.claim("loud"):
        assert turned_away == ["loud"]


def test_a_publisher_far_beyond_its_faults_is_told_to_come_back_in_a_minute(
    shares: Shares, time: list[float]
) -> None:
    shares.faulted("loud", 100 * FAULTS_AT_ONCE)
    with pytest.raises(ShareExceeded) as told, shares.claim("loud"):
        pass
    assert told.value.retry_after == LONGEST_PAUSE
    # After a day without faults it has as much before it as at first.
    time[0] += 200 * FAULTS_AT_ONCE / FAULTS_A_SECOND
    shares.faulted("loud", FAULTS_AT_ONCE)
    with shares.claim("loud"):
        pass
