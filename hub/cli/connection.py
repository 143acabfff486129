"""How a command finds the hub: `--data DIR`, else GUANTONG_URL and GUANTONG_TOKEN."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from adapters.kit.client import HubClient, Retry
from contracts.owncodes import CODES, SHIPPED, Codes, load_codes
from hub.database.lock import is_locked
from hub.upkeep.entrance import ADMIN_TOKEN, HUB_URL

SHORT_TOKEN = 600
TAKE_CODES: Final = (
    "枢纽导入过自己的代码或行政区划的，用 --codes 指明其数据目录下的 codes "
    "/ codes and regions that a hub imported are taken with --codes <data>/codes"
)


class NoHub(Exception):
    """没有找到贯通：请用 --data 指明本机数据目录，或设置 GUANTONG_URL 与 GUANTONG_TOKEN
    / no hub: name its data directory with --data, or set GUANTONG_URL and GUANTONG_TOKEN"""


class NeedsData(Exception):
    """--as 须与 --data 同用；否则身份由 GUANTONG_TOKEN 决定
    / --as goes with --data; else the caller is whoever GUANTONG_TOKEN belongs to"""


class Environment(BaseSettings):
    """What commands read of the environment."""

    model_config = SettingsConfigDict(env_prefix="GUANTONG_", extra="ignore")

    url: str | None = Field(None, description="Address of the hub that commands speak to.")
    token: str | None = Field(None, description="Token of the commands' caller.")


OwnCodes = Annotated[
    Path | None,
    Parameter(
        name="--codes",
        help="枢纽导入的代码，即其数据目录下的 codes / codes that a hub imported, <data>/codes",
    ),
]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Where:
    """Which hub."""

    data: Annotated[Path | None, Parameter(help="本机数据目录 / data directory of a local hub")] = (
        None
    )


def codes_of(data: Path | None) -> Codes:
    """The codes of a local hub as it would start with them, else those shipped."""
    return SHIPPED if data is None else load_codes(data / CODES)


def codes_in(directory: Path | None) -> Codes:
    """The shipped codes, and those of a directory. Raises ValueError where there is none."""
    if directory is None:
        return SHIPPED
    if not directory.is_dir():
        raise ValueError(f"{directory}：不是目录 / not a directory")
    return load_codes(directory)


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
        try:
            url = (where.data / HUB_URL).read_text().strip()
            token = (where.data / ADMIN_TOKEN).read_text().strip()
        except FileNotFoundError as missing:
            raise NoHub from missing
        if not is_locked(where.data):
            # After a kill the address is still there: whoever listens now must not get the token.
            raise NoHub
        return url, token
    environment = Environment()
    if environment.url is None or environment.token is None:
        raise NoHub
    return environment.url, environment.token
