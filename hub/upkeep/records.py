"""The database and the journal in it, as the doctor judges them."""

from collections.abc import Callable
from typing import Final

from hub.database.connection import Connection
from hub.database.inspection import integrity
from hub.database.intake import Standing
from hub.event import shown
from hub.upkeep.finding import Finding, failure, ok, warning
from hub.upkeep.selfcheck import Checked, Kind, check_journal

_KINDS: Final[dict[Kind, tuple[str, str]]] = {
    "missing": ("位置缺失", "positions missing"),
    "gone": ("清除之处的空缺与清除记录不符", "positions gone, not as many as were purged,"),
    "beyond": ("位置超出末尾", "positions beyond the end"),
    "digest": ("摘要与内容不符", "digests that do not match"),
    "receipt": ("回执编号不符", "receipts that do not match"),
    "dedup": ("去重记录不符", "dedup records that do not match"),
}
# Seconds: a takeover takes five.
LONGEST_WAIT: Final = 15
_RESTORE: Final = (
    "请停止贯通，另存数据目录，再用 guantong restore 恢复最近的备份",
    "stop the hub, put its directory aside, and restore the newest backup (guantong restore)",
)


def judge_revision(revision: str | None, known: tuple[str, ...]) -> Finding:
    """The tables' migration against those that this program knows, the newest first."""
    if revision == known[0]:
        return ok(
            "tables", f"表结构为最新（{revision}）", f"the tables are the newest ({revision})"
        )
    if revision in known:
        return warning(
            "tables",
            f"表结构为 {revision}，本程序为 {known[0]}，未检查其中的内容",
            f"the tables stand at {revision}, this program at {known[0]}: not looked into",
            "启动一次贯通即自动升级，之后再检查",
            "start the hub once, which upgrades them, and ask again",
        )
    return failure(
        "tables",
        f"表结构 {revision or '（无）'} 不是本程序的",
        f"the tables stand at {revision or '(none)'}, which this program does not know",
        "请用创建它的版本或更新的版本，并核对 --data",
        "use the version that made them or a newer one, and check --data",
    )


def judge_integrity(connection: Connection, *, full: bool, enough: Callable[[], bool]) -> Finding:
    """The database as SQLite itself checks it."""
    faults = integrity(connection, full=full, enough=enough)
    if faults is None:
        return warning(
            "integrity",
            "数据库完整性检查未做完，已检查部分无误",
            "the check of the database was not finished; nothing was wrong so far",
            "请在空闲时用 --full 检查",
            "ask again with --full at a quiet time",
        )
    if faults:
        told = "; ".join(faults)
        return failure(
            "integrity", f"数据库已损坏：{told}", f"the database is damaged: {told}", *_RESTORE
        )
    how, how_en = ("完整", "full") if full else ("快速", "quick")
    return ok(
        "integrity", f"数据库完整性无误（{how}检查）", f"the database is whole ({how_en} check)"
    )


def judge_journal(
    connection: Connection, *, full: bool, now: int, enough: Callable[[], bool]
) -> Finding:
    """The journal against itself; the time decides which events a sample takes."""
    checked = check_journal(connection, full=full, start=now, enough=enough)
    some, some_en = ("全部", "all") if full and checked.finished else ("抽查", "a sample of")
    looked = f"{some} {checked.events:,} 条事件的位置、摘要、回执、去重"
    looked_en = f"position, digest, receipt and dedup of {some_en} {checked.events:,} events"
    if not checked.is_whole:
        faults, faults_en = _told(checked)
        return failure(
            "journal",
            f"日志不一致（{looked}）：{faults}",
            f"the journal is inconsistent ({looked_en}): {faults_en}",
            *_RESTORE,
        )
    if not checked.finished:
        return warning(
            "journal",
            f"日志自查未做完：{looked}，无误",
            f"the journal's check was not finished: {looked_en} so far, nothing wrong",
            "请在空闲时用 --full 检查",
            "ask again with --full at a quiet time",
        )
    return ok("journal", f"日志一致：{looked}", f"the journal is consistent: {looked_en}")


def judge_handover(standing: Standing, *, now: int) -> Finding:
    """Whether what doors hand over is registered; the time is microseconds UTC."""
    silence = standing.silence or 0
    waited = 0 if standing.waits_since is None else max(0, now - standing.waits_since) // 1_000_000
    if standing.aside or standing.unread:
        return failure(
            "intake",
            f"有 {standing.aside:,} 批、{standing.unread:,} 条 Kafka 记录读不懂，"
            "另行留存在表 set_aside、unread_records",
            f"{standing.aside:,} batches and {standing.unread:,} records of Kafka's cannot be read:"
            " see tables `set_aside`, `unread_records`",
            "请按 deploy/monitoring/runbooks/GuantongSetAside.md 处理",
            "do as deploy/monitoring/runbooks/GuantongSetAside.md says",
        )
    if max(silence, waited) > LONGEST_WAIT:
        return failure(
            "intake",
            f"登记进程 {silence:,.0f} 秒没有动静，待登记 {standing.batches:,} 批，"
            f"最早的已等候 {waited:,} 秒",
            f"no writer seen for {silence:,.0f} s, {standing.batches:,} batches wait,"
            f" the oldest for {waited:,} s",
            "请启动 guantong work，或从其 /health/ready 与日志查明原因；"
            "主干为 Kafka 的先看 kafka 一项",
            "start a guantong work, or see in its /health/ready and log why it does not register;"
            " where Kafka is the backbone see to `kafka` first",
        )
    return ok("intake", "受理的事件随到随登", "what is taken in is registered as it comes")


def _told(checked: Checked) -> tuple[str, str]:
    """The faults, in Chinese and in English."""
    counted = [(*_KINDS[kind], count) for kind, count in checked.faults.items()]
    if checked.surplus:
        counted.append(("去重记录多出", "dedup records too many", checked.surplus))
    says = [f"{zh} {count:,}" for zh, _, count in counted]
    says_en = [f"{count:,} {en}" for _, en, count in counted]
    if checked.first:
        first = shown(min(checked.first.values()))
        says.append(f"首个 {first}")
        says_en.append(f"the first at {first}")
    return "，".join(says), ", ".join(says_en)
