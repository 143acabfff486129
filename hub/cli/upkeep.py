"""`guantong doctor`, `backup`, `restore`: keeping a hub."""

from collections import Counter
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from secrets import token_bytes
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

from adapters.kit.client import Retry
from adapters.kit.results import HubAway
from hub.app.ground import microseconds_now
from hub.cli.connection import Where, connected
from hub.cli.output import AsJson, say, show_json
from hub.errors import DataDirectoryInUse
from hub.event import shown
from hub.settings import Settings
from hub.upkeep.backup import make_backup
from hub.upkeep.examine import Patient, examine_stopped
from hub.upkeep.finding import Finding, Level, failure, warning, worst
from hub.upkeep.manifest import Manifest
from hub.upkeep.restore import restore as restore_backup

_SIGNS: Final[dict[Level, str]] = {"ok": "正常", "warning": "注意", "failure": "故障"}


def doctor(
    *,
    full: Annotated[bool, Parameter(negative=(), help="检查全部事件与索引 / all of them")] = False,
    as_json: AsJson = False,
    where: Where = Where(),
) -> int:
    """Exits with 1 for a failure."""
    findings = _findings(where, full=full)
    if as_json:
        show_json({"level": worst(findings), "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            say(f"{_SIGNS[finding.level]}  {finding.says}")
            say(f"      {finding.check}: {finding.says_en}")
            if finding.advice:
                say(f"  →   {finding.advice}")
                say(f"      {finding.advice_en}")
        tally = Counter(finding.level for finding in findings)
        say("，".join(f"{sign} {tally[level]}" for level, sign in _SIGNS.items()))
    return 1 if worst(findings) == "failure" else 0


def backup(
    directory: Annotated[Path, Parameter(help="新建的备份目录，其上级须已存在 / a new directory")],
    *,
    data: Annotated[Path, Parameter(help="本机数据目录 / data directory of a local hub")],
    as_json: AsJson = False,
) -> None:
    """The directory appears whole, or not at all."""
    made = make_backup(data, directory, version=version("guantong"), now=microseconds_now())
    _show(made, directory, as_json=as_json)
    if not as_json:
        say("备份含全部事件与密钥，请按数据目录同等保管 / it holds all events and keys: guard it")


def restore(
    backup_directory: Annotated[Path, Parameter(help="备份目录 / the backup")],
    *,
    data: Annotated[Path, Parameter(help="新的数据目录，须为空 / a new data directory, empty")],
    as_json: AsJson = False,
) -> None:
    """Says what has to be done again since the backup."""
    restored = restore_backup(backup_directory, data, key=token_bytes(32))
    _show(restored, data, as_json=as_json)
    if not as_json:
        say(f"请启动 / start it: guantong up --data {data}")
        say(f"备份（{restored.made_at}）之后：/ since the backup:")
        say("- 受理的事件请各机构重发，重复者会被识别 / have events sent again, known or not")
        say("- 撤销的令牌、变更的策略请重做 / revoke tokens and change the policy again")
        say("- 读过头的游标作废，从已提交处再读 / cursors are refused, committed places are kept")
        say("admin.token 将重新生成 / it is made anew")


def _findings(where: Where, *, full: bool) -> list[Finding]:
    """Of a stopped hub by its directory, of a running one from itself."""
    if where.data is not None:
        settings = Settings()
        patient = Patient(
            where.data,
            settings.max_connections,
            settings.queue_bytes,
            kafka=settings.kafka is not None,
        )
        try:
            return [_STOPPED, *examine_stopped(patient, full=full, now=microseconds_now())]
        except DataDirectoryInUse:
            pass  # Its hub runs, and answers for itself.
    # A hub that hangs is to be told of, not waited for.
    with connected(where, retry=Retry(times=1)) as client:
        try:
            answer = client.doctor(full=full)
        except HubAway as away:
            return [_silent(str(away))]
    return msgspec.convert(answer["findings"], list[Finding])


def _show(manifest: Manifest, directory: Path, *, as_json: bool) -> None:
    if as_json:
        show_json({"directory": str(directory), **manifest.model_dump()})
        return
    contents = manifest.contents
    ends = "、".join(shown(shard.last) for shard in contents.shards)
    say(f"{directory}：{contents.events:,} 条事件，至 {ends} / {contents.events:,} events")
    say(f"日志摘要 / digest of the journal: {contents.journal}")


_STOPPED: Final = warning(
    "hub",
    "贯通未运行，以下由数据目录得出",
    "no hub runs; what follows is from its data directory",
    "需要时启动：guantong up，或 serve 与 work",
    "start it when it is needed: guantong up, or serve and work",
)


def _silent(reason: str) -> Finding:
    return failure(
        "hub",
        f"贯通没有答复：{reason}",
        f"the hub does not answer: {reason}",
        "请查看其进程与日志，必要时重启",
        "look at its process and its log, and restart it if need be",
    )
