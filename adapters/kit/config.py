"""`adapters.toml`: many adapters in one process, each an agency's way in, way out, or both.

    state = "state"                     # where each adapter keeps what it remembers
    metrics = "127.0.0.1:9471"          # where Prometheus asks, if at all

    [hub]
    url = "https://hub.example:8470"
    ca = "ca.pem"                       # an authority of one's own

    [[adapter]]
    name = "petition-exports"
    kind = "petition"                   # a folder of `adapters`, or the path of one
    agency = "510100.petition"
    token_file = "petition.token"
    source = { type = "folder", path = "drop" }

    [[adapter]]
    name = "clue-ledger"
    kind = "discipline.clues"
    agency = "510100.discipline"
    token_file = "discipline.token"
    source = { type = "folder", path = "ledger-in" }
    subscription = { types = ["clue.*"], start = "earliest" }
    sinks = [{ type = "ledger", path = "线索台账.xlsx" }]

Paths start at the folder of the file.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from adapters.kit.answers import ANSWERS_DAYS
from adapters.kit.documents import RAW_DAYS
from adapters.kit.port import CannotRun
from adapters.kit.sinks.call import CallSettings
from adapters.kit.sinks.files import FilesSettings
from adapters.kit.sinks.ledger import LedgerSettings
from adapters.kit.sinks.slip import SlipSettings
from adapters.kit.sinks.table import TableSettings
from adapters.kit.sources.folder import FolderSettings
from adapters.kit.sources.http import HttpSettings
from adapters.kit.sources.kafka import KafkaSettings
from adapters.kit.sources.sql import SqlSettings
from adapters.kit.sources.webhook import WebhookSettings
from contracts.agency import AgencyId

SourceSettings = Annotated[
    FolderSettings | SqlSettings | HttpSettings | WebhookSettings | KafkaSettings,
    Field(discriminator="type"),
]
SinkSettings = Annotated[
    LedgerSettings | TableSettings | FilesSettings | CallSettings | SlipSettings,
    Field(discriminator="type"),
]


class ConfigError(CannotRun):
    """`adapters.toml` says something impossible; tells where."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _agency(text: str) -> str:
    AgencyId.parse(text)
    return text


class HubSettings(_Strict):
    """Which hub."""

    url: str
    ca: Path | None = None


class AdapterSettings(_Strict):
    """One adapter. `every`: seconds between two looks at a source that had nothing; `raw_days`: how
    long a raw copy is kept after its document was answered for; `answers_days`: how long what came
    back is kept in `answers` after it was last changed; `spool_events`, `spool_mebibytes`: reading
    waits while as much or more waits to be sent; `own`: what the adapter sends itself goes to its
    ledgers, tables and slips, too."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
    kind: str
    agency: Annotated[str, AfterValidator(_agency)]
    token_file: Path
    site: Path | None = None
    source: SourceSettings | None = None
    answers: Path | None = None
    subscription: dict[str, Any] | None = None
    sinks: tuple[SinkSettings, ...] = ()
    own: bool = False
    batch: Annotated[int, Field(ge=1, le=1000)] = 100
    every: Annotated[float, Field(gt=0, le=86_400)] = 5
    raw_days: Annotated[float, Field(gt=0, le=3_650)] = RAW_DAYS
    answers_days: Annotated[float, Field(gt=0, le=3_650)] = ANSWERS_DAYS
    spool_events: Annotated[int, Field(ge=1_000)] = 1_000_000
    spool_mebibytes: Annotated[int, Field(ge=8)] = 2_048

    @model_validator(mode="after")
    def _does_something(self) -> "AdapterSettings":
        if self.source is None and self.subscription is None:
            raise ValueError("an adapter has a source, a subscription, or both")
        if self.sinks and self.subscription is None:
            raise ValueError("sinks take from a subscription: say which types")
        if self.own and (self.source is None or not any(map(keeps_own, self.sinks))):
            raise ValueError("own events go from a source to a ledger, a table or slips")
        return self


def keeps_own(sink: SinkSettings) -> bool:
    """Whether a sink takes what has no place in a subscription."""
    return isinstance(sink, LedgerSettings | TableSettings | SlipSettings)


class Settings(_Strict):
    """The whole file."""

    state: Path
    hub: HubSettings
    metrics: Annotated[str, Field(pattern=r"^[^:]+:[0-9]+$")] | None = None
    adapter: Annotated[tuple[AdapterSettings, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_once(self) -> "Settings":
        names = [adapter.name for adapter in self.adapter]
        if len(set(names)) < len(names):
            raise ValueError("two adapters have the same name")
        return self


def load_settings(path: Path) -> Settings:
    """The settings of a file. Raises ConfigError, or OSError."""
    try:
        return Settings.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name}: {error}") from None
    except ValidationError as error:
        told = error.errors(include_url=False, include_input=False, include_context=False)
        problems = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in told)
        raise ConfigError(f"{path.name}: {'; '.join(problems)}") from None
