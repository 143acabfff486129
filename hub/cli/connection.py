"""How a command finds the hub: `--data DIR`, else GUANTONG_URL and GUANTONG_TOKEN."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from adapters.kit.client import HubClient, Retry
from hub.cli.needs import NeedsData, NoHub
from hub.upkeep.entrance import entrance_of

SHORT_TOKEN = 600


class Environment(BaseSettings):
    """What commands read of the environment."""

    model_config = SettingsConfigDict(env_prefix="GUANTONG_", extra="ignore")

    url: str | None = Field(None, description="Address of the hub that commands speak to.")
    token: str | None = Field(None, description="Token of the commands' caller.")


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Where:
    """Which hub."""

    data: Annotated[Path | None, Parameter(help="本机数据目录 / data directory of a local hub")] = (
        None
    )


@contextmanager
def connected(
    where: Where, *, agency: str | None = None, retry: Retry = Retry()
) -> Iterator[HubClient]:
    """A client of the hub; with `agency` and a local hub, under a ten-minute token of that agency.

    Raises NoHub, or NeedsData for an agency without a local hub.
    """
    url, token = _found(where)
    if agency is not None and where.data is None:
        raise NeedsData
    if agency is None:
        with HubClient(url, token, retry=retry) as client:
            yield client
        return
    with HubClient(url, token) as administrator:
        issued = administrator.issue_token(agency, {"seconds": SHORT_TOKEN})
        try:
            with HubClient(url, issued["token"]) as client:
                yield client
        finally:
            administrator.revoke_token(agency, issued["number"])


def _found(where: Where) -> tuple[str, str]:
    if where.data is not None:
        found = entrance_of(where.data)
        if found is None:
            raise NoHub
        return found
    environment = Environment()
    if environment.url is None or environment.token is None:
        raise NoHub
    return environment.url, environment.token
