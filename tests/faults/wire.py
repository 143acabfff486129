"""`python -m tests.faults.wire PORT NAME…`: the ways from processes to PostgreSQL, which can break.

A TCP proxy for each name, all of them in a process of its own, so that who keeps the hub busy does
not slow them down. It prints their ports; then each line of its input is an order, and is answered
by a line once it is done. It ends with its input.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import uvloop

HOST: Final = "127.0.0.1"
# A message of the frontend is a letter and a length, which counts itself; the first has no letter.
LENGTH: Final = 4
SSL_REQUEST: Final = 80877103
CHUNK: Final = 65536


@dataclass
class Transaction:
    """What a connection has run since its transaction began, as the frontend's messages tell it."""

    _rest: bytes = b""
    _starting: bool = True
    _prepared: dict[bytes, bytes] = field(default_factory=dict)
    _run: set[bytes] = field(default_factory=set)

    def messages(self, data: bytes) -> Iterator[tuple[bytes, bool]]:
        """The whole messages of what has come so far, and whether each is a COMMIT."""
        self._rest += data
        while (size := self._size()) is not None and size <= len(self._rest):
            message, self._rest = self._rest[:size], self._rest[size:]
            yield message, self._is_commit(message)

    def has_run(self, statement: bytes) -> bool:
        """Whether a statement with these words was run in this transaction."""
        return any(statement in each for each in self._run)

    def _size(self) -> int | None:
        head = 0 if self._starting else 1
        if len(self._rest) < head + LENGTH:
            return None
        return head + int.from_bytes(self._rest[head : head + LENGTH])

    def _is_commit(self, message: bytes) -> bool:
        if self._starting:
            self._starting = int.from_bytes(message[LENGTH : 2 * LENGTH]) == SSL_REQUEST
            return False
        letter, body = message[:1], message[1 + LENGTH :]
        if letter == b"P":
            name, query, _ = body.split(b"\0", 2)
            self._prepared[name] = query
        elif letter == b"B":
            _, name, _ = body.split(b"\0", 2)
            self._run.add(self._prepared.get(name, b""))
        elif letter == b"Q" and body.startswith(b"BEGIN"):
            self._run.clear()
        return letter == b"Q" and body.startswith(b"COMMIT")


@dataclass
class Cut:
    """Where a way is cut: at the COMMIT of a transaction that has run such a statement, before the
    server has it, or once the server has `answered`.
    """

    statement: bytes
    answered: bool
    done: asyncio.Future[None]


@dataclass(eq=False)
class Connection:
    """One connection of a process, and the server's end of it."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    # While it is not set, nothing goes either way.
    open: asyncio.Event
    # The next answer of the server is kept back, and ends the connection.
    last: Cut | None = None

    def abort(self) -> None:
        """Both ends learn at once that it is over."""
        for end in (self.near, self.far):
            end.transport.abort()


class Wire:
    """The way of one process."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._connections: set[Connection] = set()
        self._holds_new = False
        self._cut: Cut | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry a connection until one of its ends is closed."""
        try:
            answers, far = await asyncio.open_connection(HOST, self._server)
        except OSError:
            writer.transport.abort()
            return
        passing = asyncio.Event()
        if not self._holds_new:
            passing.set()
        connection = Connection(writer, far, passing)
        self._connections.add(connection)
        ways = [
            asyncio.ensure_future(way)
            for way in (self._outward(connection, reader), self._homeward(connection, answers))
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        self._connections.discard(connection)
        for end in (connection.near, connection.far):
            end.close()

    def hold(self, *, new: bool) -> None:
        """From now on nothing passes on the connections that there are, nor on `new` ones."""
        self._holds_new = new
        for connection in self._connections:
            connection.open.clear()

    def release(self) -> None:
        """What was kept passes, and all else again."""
        self._holds_new = False
        for connection in self._connections:
            connection.open.set()

    async def cut(self, statement: str, *, answered: bool) -> None:
        """Return once a connection was cut at such a transaction's COMMIT."""
        self._cut = Cut(statement.encode(), answered, asyncio.get_running_loop().create_future())
        await self._cut.done

    async def _outward(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        transaction = Transaction()
        while data := await reader.read(CHUNK):
            for message, commits in transaction.messages(data):
                cut = self._cut
                if cut is not None and commits and transaction.has_run(cut.statement):
                    self._cut = None
                    if not cut.answered:
                        connection.abort()
                        cut.done.set_result(None)
                        return
                    connection.last = cut
                await connection.open.wait()
                connection.far.write(message)
            await connection.far.drain()

    async def _homeward(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(CHUNK):
            if connection.last is not None:
                connection.abort()
                connection.last.done.set_result(None)
                return
            await connection.open.wait()
            connection.near.write(data)
            await connection.near.drain()


async def _serve(server: int, names: list[str]) -> None:
    wires = {name: Wire(server) for name in names}
    listening = [await asyncio.start_server(wire.serve, HOST, 0) for wire in wires.values()]
    ports = [each.sockets[0].getsockname()[1] for each in listening]
    _say(dict(zip(names, ports, strict=True)))
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin
    )
    while line := await orders.readline():
        match json.loads(line):
            case {"hold": name, "new": new}:
                wires[name].hold(new=new)
            case {"release": name}:
                wires[name].release()
            case {"cut": name, "statement": statement, "answered": answered}:
                await wires[name].cut(statement, answered=answered)
        _say("done")


def _say(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), sys.argv[2:]))
