"""`make bench`: every figure as a JSON line; the exit status says whether all goals hold."""

import sys

from tests.bench import (
    adapters,
    books,
    compatibility,
    crowds,
    forms,
    http,
    ingress,
    journal,
    kafka,
    kafkahub,
    memory,
    postgres,
    reads,
    secrecy,
    singles,
    starting,
    versions,
)

sys.exit(
    not all(
        [
            ingress.run(),
            journal.run(),
            postgres.run(),
            kafka.run(),
            kafkahub.run(),
            http.run(),
            reads.run(),
            crowds.run(),
            singles.run(),
            secrecy.run(),
            memory.run(),
            compatibility.run(),
            versions.run(),
            starting.run(),
            adapters.run(),
            books.run(),
            forms.run(),
        ]
    )
)
