"""A hub's database, whichever it is: transactions for one thread that writes, and for readers."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")
# Classes of SQLSTATE that speak of the server, of the way to it and of statements, not of data.
_OF_THE_SERVER: Final = ("08", "25", "28", "3D", "40", "42", "53", "55", "57", "58", "XX")
# A connection that is lost or refused, a server that stops or starts or has too many.
_AWAY: Final = ("08", "57P", "53300")


class Transactions(Protocol):
    """One connection's transactions, one after another; used by one thread."""

    def run(self, work: Callable[[Connection], T]) -> T:
        """The result of `work` in one transaction, committed unless it raised.

        Raises DBAPIError for whatever the database, or the way to it, is at fault.
        """
        ...

    def close(self) -> None:
        """Close the connection. No other call runs, and no event loop on the caller's thread."""
        ...


class Works(Protocol):
    """Works that read, each on one snapshot, on a thread or threads of their own."""

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """Have `work` done; the future holds what it returned or raised, and DBAPIError as
        `Transactions.run` raises it. One that is cancelled before its turn is not begun.
        """
        ...

    def stop(self) -> None:
        """Let all that was submitted end, and close the connections. Blocks; no event loop runs on
        the caller's thread.
        """
        ...


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes that the database takes."""

    database: int


@dataclass(frozen=True, slots=True)
class SpaceHere(Space):
    """Bytes on this machine: also its write-ahead log, the disk, what is free there."""

    log: int
    disk: int
    free: int


class Database(Protocol):
    """An opened database, its tables up to date."""

    @property
    def answer(self) -> float | None:
        """How long it may owe an answer, seconds; None where it may take as long as it likes."""
        ...

    def writing(self) -> Transactions:
        """Transactions that change it."""
        ...

    def reading(self) -> Transactions:
        """Transactions that see one snapshot each and cannot change it."""
        ...

    def pages(self) -> Works:
        """Works that read pages."""
        ...

    def space(self, connection: Connection) -> Space:
        """What it takes and, on this machine, may take."""
        ...

    def close(self) -> None:
        """Close what is open beside the transactions that were given out."""
        ...


def of_the_server(error: BaseException) -> bool:
    """Whether the database or the way to it is at fault, rather than what it was given."""
    if not isinstance(error, DBAPIError) or error.orig is None:
        return False
    state = getattr(error.orig.__cause__ or error.orig, "sqlstate", None)
    return state is None or state[:2] in _OF_THE_SERVER


def is_away(error: BaseException) -> bool:
    """Whether a database on another machine cannot be reached, or takes nobody at the moment."""
    if not isinstance(error, DBAPIError) or error.orig is None:
        return False
    said = error.orig.__cause__ or error.orig
    if isinstance(said, OSError | TimeoutError):
        return True
    state = getattr(said, "sqlstate", None)
    if not type(said).__module__.startswith("asyncpg"):
        return False
    return state is None or state.startswith(_AWAY)


def storage_reason(error: BaseException) -> str:
    """What the database says of an error, which may name tables but no values; else its type."""
    if not isinstance(error, DBAPIError) or error.orig is None:
        return type(error).__name__
    said = error.orig.__cause__ or error.orig
    if not type(said).__module__.startswith("asyncpg"):
        return str(said)
    # PostgreSQL and its driver quote the value that they cannot take.
    state = getattr(said, "sqlstate", None)
    if state is None or state[:2] not in _OF_THE_SERVER:
        return " ".join(filter(None, (type(said).__name__, state)))
    return f"{type(said).__name__} {state}: {said}"
