"""Every table, on one page. Times are microseconds UTC; positions are packed (`hub.event.pack`)."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# In SQLite only INTEGER PRIMARY KEY is the rowid.
Long = BigInteger().with_variant(Integer, "sqlite")
# Compared byte by byte on both, whatever the language of the database is.
Words = Text().with_variant(Text(collation="C"), "postgresql")

# The registered events, in order. Nothing updates a row. On PostgreSQL in partitions, as
# `hub.database.partitions` makes them; whoever reads asks the view `held`.
journal = Table(
    "journal",
    metadata,
    Column("position", Long, primary_key=True, autoincrement=False),
    Column("hubtime", Long, nullable=False),
    Column("audience", Words, nullable=False),
    Column("parties", LargeBinary, nullable=False),
    Column("receipt", LargeBinary, nullable=False),
    Column("type", Words, nullable=False),
    Column("version", Words, nullable=False),
    Column("publisher", Words, nullable=False),
    Column("region", Words, nullable=False),
    Column("key", Words, nullable=False),
    Column("addressed_to", Words, nullable=False),
    Column("copied_to", Words, nullable=False),
    Column("marking", SmallInteger, nullable=False),
    Column("expires", Long, nullable=True),
    Column("attributes", LargeBinary, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("source", Words, nullable=False),
    Column("event_id", Words, nullable=False),
    Column("correlation", Words, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("caveats", SmallInteger, nullable=False, server_default="0"),
    Column("about", LargeBinary, nullable=False, server_default=""),
    Column("origins", Words, nullable=False, server_default=""),
    postgresql_partition_by="RANGE (position)",
)

# What each reading of a feed handed over, a row a page: who, when, by which policy, under which
# token. `outcomes` are the positions and what was decided on each (`hub.evidence.reads`).
reads = Table(
    "reads",
    metadata,
    Column("number", Long, primary_key=True, autoincrement=True),
    Column("subscription", Long, nullable=False),
    Column("agency", Words, nullable=False),
    Column("subscription_id", Words, nullable=False),
    Column("token", Long, nullable=False),
    Column("channel", Words, nullable=False),
    Column("policy", Long, nullable=False),
    Column("read_at", Long, nullable=False),
    Column("first", Long, nullable=False),
    Column("last", Long, nullable=False),
    Column("outcomes", LargeBinary, nullable=False),
    Index("reads_of_position", "last", "first"),
    Index("reads_of_agency", "agency", "number"),
    Index("reads_of_agency_over", "agency", "last", "first", postgresql_include=["number"]),
)

# Events that a subscriber may have and could not be given in the version it had pinned (`wanted`):
# why, as far as it may know, how often it was tried, first and last. `delivered`: when it was given
# after all; whoever asks for it again gets it again.
dead_letters = Table(
    "dead_letters",
    metadata,
    Column("position", Long, primary_key=True, autoincrement=False),
    Column("subscription", Long, primary_key=True, autoincrement=False),
    Column("wanted", Words, nullable=False),
    Column("code", Words, nullable=False),
    Column("pointer", Words, nullable=False),
    Column("message", Words, nullable=False),
    Column("message_en", Words, nullable=False),
    Column("attempts", Long, nullable=False),
    Column("first", Long, nullable=False),
    Column("last", Long, nullable=False),
    Column("delivered", Long, nullable=True),
    Index("dead_letters_of_subscription", "subscription", "delivered", "position"),
    sqlite_with_rowid=False,
)

# (source, id) registers once: a 64-bit hash, confirmed against the journal row. A random 16-byte
# index over text keys would be what limits the whole journal.
dedup = Table(
    "dedup",
    metadata,
    Column("slot", Long, primary_key=True, autoincrement=False),
    Column("position", Long, nullable=False),
)

# Per shard: the next free number and the last hubtime. A registration moves it from exactly what
# it read, under the epoch that its process took it with. `writer` names that process, "" is nobody;
# `beat` is when it last wrote, milliseconds of the database's clock. Up to `room` each position has
# its partition, up to `purged` nothing is held (`hub.database.partitions`).
shards = Table(
    "shards",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("next_number", Long, nullable=False),
    Column("hubtime", Long, nullable=False),
    Column("epoch", Long, nullable=False, server_default="0"),
    Column("writer", Words, nullable=False, server_default=""),
    Column("beat", Long, nullable=False, server_default="0"),
    Column("room", Long, nullable=False, server_default="0"),
    Column("purged", Long, nullable=False, server_default="0"),
)

# Batches that doors have admitted and the shard's writer has not registered, in the order of their
# numbers. `events` and the outcomes of `settled` are as `hub.backbone.parcels` packs them;
# `receipts` are the 16 bytes of each event, one after the other; `weight` is in bytes.
intake = Table(
    "intake",
    metadata,
    Column("number", Long, primary_key=True, autoincrement=True),
    Column("door", Long, nullable=False),
    Column("batch", Long, nullable=False),
    Column("atomic", SmallInteger, nullable=False),
    Column("publisher", Words, nullable=False),
    Column("events", LargeBinary, nullable=False),
    Column("receipts", LargeBinary, nullable=False),
    Column("weight", Long, nullable=False),
    Column("at", Long, nullable=False),
    sqlite_autoincrement=True,
)

# Those of them that could not be read: what was handed over, why it could not, and since when.
set_aside = Table(
    "set_aside",
    metadata,
    Column("number", Long, primary_key=True, autoincrement=False),
    Column("publisher", Words, nullable=False),
    Column("atomic", SmallInteger, nullable=False),
    Column("events", LargeBinary, nullable=False),
    Column("receipts", LargeBinary, nullable=False),
    Column("weight", Long, nullable=False),
    Column("at", Long, nullable=False),
    Column("reason", Words, nullable=False),
    Column("aside_at", Long, nullable=False),
)

# How far each partition of a backbone's topics is registered: the offset of its next record.
offsets = Table(
    "offsets",
    metadata,
    Column("topic", Words, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next", Long, nullable=False),
)

# Records of those topics that could not be read, at their offset (`place`).
unread_records = Table(
    "unread_records",
    metadata,
    Column("topic", Words, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("place", Long, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, nullable=False),
    Column("headers", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", Long, nullable=False),
)

# What became of batches that doors handed over, until their door has read it.
settled = Table(
    "settled",
    metadata,
    Column("door", Long, primary_key=True, autoincrement=False),
    Column("batch", Long, primary_key=True, autoincrement=False),
    Column("outcomes", LargeBinary, nullable=False),
    Column("at", Long, nullable=False),
    sqlite_with_rowid=False,
)

# The entries of each subscription's feed: packed positions, a row per registration.
feed = Table(
    "feed",
    metadata,
    Column("subscription", Long, primary_key=True, autoincrement=False),
    Column("first", Long, primary_key=True, autoincrement=False),
    Column("last", Long, nullable=False),
    Column("positions", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# `filled` is the position up to which the feed is complete; below `fill_until` it is being filled.
# `expired` counts the entries that were purged before the subscriber had committed past them.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("number", Long, primary_key=True, autoincrement=True),
    Column("agency", Words, nullable=False),
    Column("id", Words, nullable=False),
    Column("body", Words, nullable=False),
    Column("pins", Words, nullable=False),
    Column("start", Long, nullable=False),
    Column("committed", Long, nullable=False),
    Column("filled", Long, nullable=False),
    Column("fill_until", Long, nullable=False),
    Column("created_at", Long, nullable=False),
    Column("expired", Long, nullable=False, server_default="0"),
    UniqueConstraint("agency", "id", name="subscription_of_agency"),
    sqlite_autoincrement=True,
)

# What feeds held and hold no longer: the last entry before the oldest held one, and all after it.
expired = Table(
    "expired",
    metadata,
    Column("subscription", Long, primary_key=True, autoincrement=False),
    Column("position", Long, primary_key=True, autoincrement=False),
    Column("hubtime", Long, nullable=False),
    sqlite_with_rowid=False,
)

# How far the journal has been swept of what has outlived its retention, for each contract.
sweeps = Table(
    "sweeps",
    metadata,
    Column("type", Words, primary_key=True),
    Column("version", Words, primary_key=True),
    Column("position", Long, nullable=False),
)

# What was purged, kept for good. `digest`: SHA-256 over the 16-byte receipts, in order.
purges = Table(
    "purges",
    metadata,
    Column("number", Long, primary_key=True, autoincrement=True),
    Column("type", Words, nullable=False),
    Column("version", Words, nullable=False),
    Column("first", Long, nullable=False),
    Column("last", Long, nullable=False),
    Column("from_hubtime", Long, nullable=False),
    Column("to_hubtime", Long, nullable=False),
    Column("events", Long, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("at", Long, nullable=False),
    sqlite_autoincrement=True,
)

# What was made, changed or ended of subscriptions, the newest ten thousand: `revision` is what
# `revisions` said after it.
subscription_changes = Table(
    "subscription_changes",
    metadata,
    Column("number", Long, primary_key=True, autoincrement=True),
    Column("revision", Long, nullable=False, unique=True),
    Column("subscription", Long, nullable=False),
    sqlite_autoincrement=True,
)

# Events that registration refused after their door may have said that they were accepted: the
# receipt and the faults, as `hub.backbone.parcels` packs them.
refused = Table(
    "refused",
    metadata,
    Column("receipt", LargeBinary, primary_key=True),
    Column("publisher", Words, nullable=False),
    Column("told", LargeBinary, nullable=False),
    Column("at", Long, nullable=False),
    sqlite_with_rowid=False,
)

# Marks that tell readers of a snapshot whether what they hold in memory is still the newest.
revisions = Table(
    "revisions",
    metadata,
    Column("name", Words, primary_key=True),
    Column("revision", Long, nullable=False),
)

# The policy, append-only: the newest version is in force.
policies = Table(
    "policies",
    metadata,
    Column("version", Long, primary_key=True, autoincrement=False),
    Column("document", Words, nullable=False),
    Column("changed_by", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("changed_at", Long, nullable=False),
)

# Access tokens: only their SHA-256.
tokens = Table(
    "tokens",
    metadata,
    Column("number", Long, primary_key=True, autoincrement=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("agency", Words, nullable=True),
    Column("roles", Words, nullable=False),
    Column("created_at", Long, nullable=False),
    Column("expires_at", Long, nullable=False),
    Column("revoked_at", Long, nullable=True),
    Column("last_used_at", Long, nullable=True),
    Column("replaced_by", Long, nullable=True),
    Index("tokens_of_agency", "agency", "number"),
    Index("tokens_by_expiry", "expires_at"),
    sqlite_autoincrement=True,
)

# Every administrative act: who did what to whom. Nothing updates a row; `detail` is JSON.
acts = Table(
    "acts",
    metadata,
    Column("number", Long, primary_key=True, autoincrement=True),
    Column("at", Long, nullable=False),
    Column("caller", Words, nullable=False),
    Column("token", Long, nullable=True),
    Column("act", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Index("acts_on_subject", "subject", "number"),
    Index("acts_of_a_kind", "act", "number"),
    sqlite_autoincrement=True,
)

# What was refused and why: names and places, never content.
refusals = Table(
    "refusals",
    metadata,
    Column("number", Long, primary_key=True, autoincrement=True),
    Column("caller", Words, nullable=False),
    Column("source", Words, nullable=True),
    Column("event_id", Words, nullable=True),
    Column("code", Words, nullable=False),
    Column("pointer", Words, nullable=False),
    Column("refused_at", Long, nullable=False),
    # Which of its event's faults, from 0: an event is refused once, whatever is wrong with it.
    Column("nth", SmallInteger, nullable=False, server_default="0"),
    Index("refusals_of_caller", "caller", "number"),
    Index("refusals_of_event", "event_id", "source"),
    Index(
        "refused_events",
        "refused_at",
        "caller",
        "code",
        sqlite_where=text("nth = 0"),
        postgresql_where=text("nth = 0"),
    ),
)

# How many events each agency sent in each hour (since 1970 UTC), and when the last of them came.
# Nine weeks before an agency's newest hour are kept.
tallies = Table(
    "tallies",
    metadata,
    Column("agency", Words, primary_key=True),
    Column("hour", Long, primary_key=True, autoincrement=False),
    Column("events", Long, nullable=False),
    Column("last", Long, nullable=False),
    sqlite_with_rowid=False,
)

# Per shard: the position up to which events are tallied, and the hubtime there. It moves in the
# transaction that adds to the tallies.
tallied = Table(
    "tallied",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("position", Long, nullable=False),
    Column("hubtime", Long, nullable=False),
)

# Keys of this hub: what hashes parties and signs cursors.
secrets = Table(
    "secrets",
    metadata,
    Column("name", Words, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
