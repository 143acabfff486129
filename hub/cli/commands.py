"""All commands of `guantong`, and how they end.

A command's code is loaded when it is called: its sentence stands here, so that `--help` loads none.
"""

import os
import sys
from typing import Final

from cyclopts import App

from adapters.kit.port import CannotRun
from adapters.kit.results import HubAway, HubProblem
from hub.cli.needs import NeedsBrokers, NeedsData, NeedsYes, NoHub
from hub.cli.output import complain
from hub.errors import HubError

app: Final = App(name="guantong", help="贯通：巡视巡察与各监督机构的信息枢纽 / the supervision hub")
app.command(
    "hub.cli.serving:up",
    help="在一个进程中运行贯通（SQLite 或 PostgreSQL）。"
    "\n/ Run a whole hub in one process, on SQLite or PostgreSQL.",
)
app.command(
    "hub.cli.serving:serve",
    help="收发事件：PostgreSQL 上可运行多个，登记由 work 进行。"
    "\n/ The doors and delivery, as many as wanted on one PostgreSQL; `work` registers.",
)
app.command(
    "hub.cli.serving:work",
    help="登记事件：一个进程写入，其余待命接替。"
    "\n/ Register what the doors took in; of several processes one writes, the others stand by.",
)
app.command("hub.cli.contracts:contract", help="契约（离线可用）/ contracts, offline")
app.command("hub.cli.codes:codes", help="代码表（离线可用）/ code lists, offline")
app.command("hub.cli.policies:policy", help="策略：机构、授权、回避 / the policy")
app.command("hub.cli.policies:agency", help="机构与令牌 / agencies and their tokens")
app.command("hub.cli.tokens:token", help="角色的令牌 / the tokens of roles")
app.command("hub.cli.events:publish", help="发布事件文件中的事件。/ Publish the events of files.")
app.command("hub.cli.events:subscribe", help="建立订阅。/ Make a subscription.")
app.command(
    "hub.cli.events:pull", help="读取订阅中的新事件。/ Read the next events of a subscription."
)
app.command(
    "hub.cli.deadletters:dead_letters",
    help="因版本无法转换而未送达的事件 / events without a form in your version",
)
app.command(
    "hub.cli.audit:explain",
    help="说明某机构为什么收到或没有收到某事件。/ Why an agency did, or did not, get an event.",
)
app.command("hub.cli.audit:audit", help="审计：谁看过什么、谁做了什么 / who has seen and done what")
app.command("hub.cli.adapters:adapter", help="适配器：把机构已有的数据变成事件 / adapters")
app.command(
    "hub.cli.status:status",
    help="显示运行状况：来件、静默、未读、退回（operator 角色）。/ Show the state of the hub.",
)
app.command(
    "hub.cli.upkeep:doctor",
    help="体检：逐项判断并说明怎么办；有故障时退出码为 1。/ Judge a hub, and say what to do.",
)
app.command(
    "hub.cli.upkeep:backup",
    help="备份数据目录，贯通可照常运行。/ Back up a data directory, while its hub runs or not.",
)
app.command(
    "hub.cli.upkeep:restore",
    help="由备份建立新的数据目录，并逐条核对。/ Make a data directory of a backup, and prove it.",
)
app.command("hub.cli.database:database", help="数据库 / the database")
app.command("hub.cli.kafka:kafka", help="Kafka：主题、用户、权限 / topics, users, rights")


def main() -> None:
    """Run a command; its exit status is 0, or 1 with a sentence that says why."""
    try:
        sys.exit(app(result_action="return_value") or 0)
    except (NoHub, NeedsData, NeedsBrokers, NeedsYes) as error:
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
    except BrokenPipeError:
        # Whoever reads what is printed has had enough (`| head`), and hears no more of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        complain(f"无法读写或监听 / cannot read, write or listen: {error}")
    except CannotRun as error:
        complain(str(error))
    except ValueError as error:
        complain(f"输入有误 / the input is not valid: {error}")
    sys.exit(1)
