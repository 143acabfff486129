"""`python -m deploy.local`: a PostgreSQL or a Kafka of one's own in the foreground."""

import signal
import sys
from argparse import ArgumentParser
from pathlib import Path

from deploy.local import kafka, postgres
from deploy.local.kafka import KafkaFailed
from deploy.local.postgres import PostgresFailed

PROGRAM = "python -m deploy.local"


def main(arguments: list[str]) -> int:
    """Start what is named and keep it until Ctrl-C; the exit status."""
    parser = ArgumentParser(prog=PROGRAM, description=__doc__)
    servers = parser.add_subparsers(dest="server", required=True)
    one = servers.add_parser("postgres", help="its URL is printed")
    one.add_argument("folder", metavar="DIR", type=Path)
    several = servers.add_parser("kafka", help="its brokers' addresses are printed")
    several.add_argument("folder", metavar="DIR", type=Path)
    several.add_argument("--brokers", type=int, choices=(1, 3), default=1)
    several.add_argument("--secured", action="store_true", help="log in with SCRAM-SHA-512; ACLs")
    asked = parser.parse_args(arguments)
    # An orderly end for both ways in which a terminal or a service ends a program; who is
    # started in the background has the first of them ignored.
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.default_int_handler)
    try:
        if asked.server == "postgres":
            return keep_postgres(asked.folder)
        return keep_kafka(asked.folder, brokers=asked.brokers, secured=asked.secured)
    except KeyboardInterrupt:
        return 0
    except (PostgresFailed, KafkaFailed) as failed:
        print(failed, file=sys.stderr)
        return 1


def keep_postgres(folder: Path) -> int:
    """A server on the folder, its URL on standard output; its exit status."""
    with postgres.running(folder) as server:
        print(server.url("postgres"), flush=True)
        return server.wait()


def keep_kafka(folder: Path, *, brokers: kafka.Size, secured: bool) -> int:
    """A cluster on the folder, told on standard output; the exit status of who failed, else 0."""
    with kafka.running(folder, brokers=brokers, secured=secured) as cluster:
        print(cluster.bootstrap, flush=True)
        if secured:
            print(f"{kafka.SCRAM} {kafka.ADMIN}: {cluster.password_file}", flush=True)
        return cluster.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
