"""`make bench`: every figure as a JSON line; the exit status says whether all goals hold."""

import sys

from tests.bench import http, ingress, journal, reads

sys.exit(not all([ingress.run(), journal.run(), http.run(), reads.run()]))
