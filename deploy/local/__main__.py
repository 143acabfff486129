"""`python -m deploy.local postgres DIR`: a server of one's own in the foreground."""

import signal
import sys
from pathlib import Path

from deploy.local.postgres import PostgresFailed, running

USAGE = "python -m deploy.local postgres DIR"


def main(arguments: list[str]) -> int:
    """Start what is named and keep it until Ctrl-C; the exit status."""
    match arguments:
        case ["postgres", folder]:
            # An orderly end for both ways in which a terminal or a service ends a program; who is
            # started in the background has the first of them ignored.
            for sign in (signal.SIGINT, signal.SIGTERM):
                signal.signal(sign, signal.default_int_handler)
            return postgres(Path(folder))
        case _:
            print(USAGE, file=sys.stderr)
            return 2


def postgres(folder: Path) -> int:
    """A server on the folder, its URL on standard output; the exit status."""
    try:
        with running(folder) as server:
            print(server.url("postgres"), flush=True)
            return server.wait()
    except KeyboardInterrupt:
        return 0
    except PostgresFailed as failed:
        print(failed, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
