"""The list of commands, as the command line itself has it."""

import re

from hub.cli.commands import app

_HEAD = """\
# 命令 · Commands

由 `make docs` 从 `hub/cli` 生成，请勿手改；`guantong 命令 --help` 显示同样的内容。
Generated from the code: do not edit; `--help` tells the same.

结束状态：0 成功，1 失败并说明原因。Exit status: 0, or 1 with a sentence that says why.

"""


def page() -> str:
    """The page."""
    told = app.generate_docs(output_format="markdown")
    _, _, rest = told.partition("## Table of Contents\n")
    # The usage lines name the running program, which is not always `guantong`.
    without_usage = re.sub(r"```console\n.*?```\n\n", "", rest, flags=re.DOTALL)
    return f"{_HEAD}{without_usage.strip()}\n"
