"""All commands of `guantong`, and how they end."""

import sys
from typing import Final

from cyclopts import App

from adapters.kit.adapter import UnknownAdapter
from adapters.kit.checkpoint import CheckpointInUse
from adapters.kit.mapping import MappingError
from adapters.kit.results import HubAway, HubProblem
from hub.cli import (
    adapters,
    audit,
    checking,
    codes,
    contracts,
    database,
    deadletters,
    events,
    impact,
    policies,
    rehearsal,
    serving,
    status,
    tokens,
    upkeep,
)
from hub.cli.connection import NeedsData, NoHub
from hub.cli.output import complain
from hub.errors import HubError

app: Final = App(name="guantong", help="贯通：巡视巡察与各监督机构的信息枢纽 / the supervision hub")
app.command(serving.up)
app.command(serving.serve)
app.command(serving.work)
app.command(contracts.contract)
contracts.contract.command(checking.check)
contracts.contract.command(impact.impact)
app.command(codes.codes)
app.command(policies.policy)
policies.policy.command(rehearsal.diff)
policies.policy.command(rehearsal.lint)
app.command(policies.agency)
app.command(tokens.token)
app.command(events.publish)
app.command(events.subscribe)
app.command(events.pull)
app.command(deadletters.dead_letters)
app.command(audit.explain)
app.command(audit.audit)
app.command(adapters.adapter)
app.command(status.status)
app.command(upkeep.doctor)
app.command(upkeep.backup)
app.command(upkeep.restore)
app.command(database.database)


def main() -> None:
    """Run a command; its exit status is 0, or 1 with a sentence that says why."""
    try:
        sys.exit(app(result_action="return_value") or 0)
    except (NoHub, NeedsData) as error:
        complain(type(error).__doc__ or "")
    except HubError as error:
        title, title_en = type(error).titles()
        complain(f"{title} / {title_en} {error.detail}".rstrip())
    except HubProblem as error:
        detail = f" {error.detail}" if error.detail else ""
        complain(f"{error.title} / {error.title_en} ({error.code}){detail}")
        for each in error.errors:
            complain(f"{each.pointer or '/'}  {each.message} / {each.message_en}")
    except HubAway as error:
        complain(f"{error} / the hub cannot be reached")
    except OSError as error:
        complain(f"无法读写或监听 / cannot read, write or listen: {error}")
    except (UnknownAdapter, MappingError, CheckpointInUse) as error:
        complain(str(error))
    except ValueError as error:
        complain(f"输入有误 / the input is not valid: {error}")
    sys.exit(1)
