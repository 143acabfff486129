import pytest

from adapters.kit.retryafter import seconds_asked


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Thu, 01 Jan 1970 00:18:00 GMT", 80.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("", None),
        ("-5", None),
        ("²", None),
        ("soon", None),
        ("9" * 400, None),
        ("Thu, 99 Jan 1970 00:18:00 GMT", None),
    ],
)
def test_a_server_asks_to_wait_by_seconds_or_until_a_date(
    written: str, seconds: float | None
) -> None:
    assert seconds_asked(written, 1_000.0) == seconds
