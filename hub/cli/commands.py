"""All commands of `guantong`, and how they end."""

import sys
from typing import Final

from cyclopts import App

from adapters.kit.adapter import UnknownAdapter
from adapters.kit.checkpoint import CheckpointInUse
from adapters.kit.mapping import MappingError
from adapters.kit.results import HubAway, HubProblem
from hub.cli import adapters, contracts, events, policies, serving
from hub.cli.connection import NoHub
from hub.cli.output import complain
from hub.errors import HubError

app: Final = App(name="guantong", help="贯通：巡视巡察与各监督机构的信息枢纽 / the supervision hub")
app.command(serving.up)
app.command(contracts.contract)
app.command(policies.policy)
app.command(policies.agency)
app.command(events.publish)
app.command(events.subscribe)
app.command(events.pull)
app.command(adapters.adapter)


def main() -> None:
    """Run a command; its exit status is 0, or 1 with a sentence that says why."""
    try:
        sys.exit(app(result_action="return_value") or 0)
    except NoHub:
        complain(NoHub.__doc__ or "")
    except HubError as error:
        title, title_en = type(error).titles()
        complain(f"{title} / {title_en} ({error.detail})")
    except (HubProblem, HubAway, UnknownAdapter, MappingError, CheckpointInUse, OSError) as error:
        complain(str(error))
    sys.exit(1)
