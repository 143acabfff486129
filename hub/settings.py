"""Settings, read once at the start: the environment (`GUANTONG_…`), then these defaults."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

MEBIBYTE = 1024 * 1024
Ceiling = Literal["public", "internal", "mimi", "jimi", "juemi"]


class Settings(BaseSettings):
    """Every setting of the hub, each with a sentence."""

    model_config = SettingsConfigDict(env_prefix="GUANTONG_", frozen=True, extra="ignore")

    database: SecretStr | None = Field(
        None,
        description="PostgreSQL as postgresql+asyncpg://USER:PASSWORD@HOST:PORT/NAME; without it,"
        " SQLite in the data directory.",
    )
    backbone: Literal["sql", "kafka"] = Field(
        "sql",
        description="What carries events to the journal: the database itself or, for `serve` and"
        " `work`, Kafka.",
    )
    kafka: str | None = Field(
        None, description="Kafka's brokers, HOST:PORT,HOST:PORT; without them, no Kafka."
    )
    kafka_user: str | None = Field(
        None, description="User at Kafka, by SASL/SCRAM-SHA-512; without one, nobody logs in."
    )
    kafka_password: SecretStr | None = Field(None, description="Password of that user.")
    kafka_ca: Path | None = Field(
        None, description="CA certificates, PEM, that Kafka's are of; without them, no TLS."
    )
    kafka_partitions: int = Field(
        1, ge=1, description="Partitions of each topic share.<family>, the same for good."
    )
    ceiling: Ceiling = Field("internal", description="Highest marking this node may hold.")
    max_body: int = Field(8 * MEBIBYTE, ge=1, description="Largest request body, bytes.")
    max_batch: int = Field(1_000, ge=1, description="Most events in one request.")
    max_event: int = Field(320 * 1024, ge=1, description="Largest event with its envelope, bytes.")
    max_data: int = Field(256 * 1024, ge=1, description="Largest payload, bytes.")
    max_depth: int = Field(32, ge=1, description="Deepest nesting of JSON.")
    max_values: int = Field(20_000, ge=1, description="Most members and items of a payload.")
    max_connections: int = Field(1_000, ge=1, description="Most connections at once.")
    max_connections_per_address: int = Field(
        500, ge=1, description="Most connections of one address at once; a gateway is one."
    )
    head_seconds: float = Field(10.0, gt=0, description="A request's head must arrive within this.")
    body_seconds: float = Field(30.0, gt=0, description="A request's body must arrive within this.")
    stop_seconds: float = Field(3.0, gt=0, description="How long a stop waits for requests.")
    queue_bytes: int = Field(64 * MEBIBYTE, ge=1, description="What may wait to be written, bytes.")
    share_bytes: int = Field(
        16 * MEBIBYTE, ge=1, description="Most bytes that one agency has under way at once."
    )
    share_requests: int = Field(
        128, ge=1, description="Most requests by which one agency publishes at once."
    )
    readers: int = Field(3, ge=1, description="Threads, with a connection each, for single reads.")
    max_wait: float = Field(60.0, gt=0, description="Longest long poll, seconds.")
    max_page: int = Field(1_000, ge=1, description="Most events a page.")
    max_subscriptions: int = Field(200, ge=1, description="Most subscriptions of one agency.")
    retention: dict[str, Annotated[int, Field(ge=1)]] = Field(
        {}, description='Days to keep events, by type, family or "*", where not the contract\'s.'
    )
    records_days: int = Field(
        400,
        ge=183,
        description="Days to keep records of refusals, and of readings where no event is kept"
        " longer.",
    )
    purge_seconds: float = Field(3600.0, gt=0, description="Pause between purges, seconds.")
    token_days: int = Field(365, ge=1, description="How long a new token is valid, unless asked.")
