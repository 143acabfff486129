"""`make bench`: every figure as a JSON line; the exit status says whether all goals hold."""

import sys

from tests.bench import crowds, http, ingress, journal, memory, reads, singles

sys.exit(
    not all(
        [
            ingress.run(),
            journal.run(),
            http.run(),
            reads.run(),
            crowds.run(),
            singles.run(),
            memory.run(),
        ]
    )
)
