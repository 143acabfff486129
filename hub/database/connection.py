"""What a work is given: a connection inside one transaction, or one snapshot.

Stages hand it on to their `sql.py`, which alone speaks SQL.
"""

import sqlalchemy

Connection = sqlalchemy.Connection
