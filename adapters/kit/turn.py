"""Turns of threads that compute for long, so that none waits long for the interpreter."""

from threading import Lock


class Turn:
    """Taken by one thread at a time, in the order in which they come.

    Who computes for long takes it for each of its steps. Threads that only shared the interpreter
    would fight for it at every statement of the database and every piece of an answer, and each
    time wait until the other is made to let go. It is taken before the state, never inside.
    """

    def __init__(self) -> None:
        self._next = Lock()
        self._taken = Lock()

    def __enter__(self) -> None:
        with self._next:
            self._taken.acquire()

    def __exit__(self, *_: object) -> None:
        self._taken.release()
