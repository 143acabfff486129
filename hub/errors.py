"""Why the hub says no. One family: a stable code, an HTTP status, and whether a retry can help.

The docstring of a class is its message, Chinese before ` / `, English after.
"""

from typing import Any, ClassVar

from contracts.faults import Fault


class HubError(Exception):
    """请求无法处理 / the request cannot be served"""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        detail: str = "",
        *,
        retry_after: int | None = None,
        faults: tuple[Fault, ...] = (),
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after
        self.faults = faults

    def members(self) -> dict[str, Any]:
        """What its problem document says beside the members that all have."""
        return {}

    @classmethod
    def titles(cls) -> tuple[str, str]:
        """The message in Chinese and in English."""
        zh, _, en = (cls.__doc__ or "").partition(" / ")
        return zh.strip(), en.strip()


class BadRequest(HubError):
    """请求不合规 / the request is malformed"""

    code = "bad_request"
    status = 400


class BatchMalformed(BadRequest):
    """批次不是合法的 JSON 数组 / the batch is not a JSON array"""

    code = "batch_malformed"


class HeaderMalformed(BadRequest):
    """请求头中的事件属性无法解码 / an attribute header cannot be decoded"""

    code = "header_malformed"


class TooDeep(BadRequest):
    """JSON 嵌套过深 / the JSON is nested too deeply"""

    code = "too_deep"


class CursorInvalid(BadRequest):
    """游标无效或属于其他订阅 / the cursor is invalid or belongs to another subscription"""

    code = "cursor_invalid"


class Unauthenticated(HubError):
    """缺少有效的访问令牌 / a valid access token is needed"""

    code = "unauthenticated"
    status = 401


class Forbidden(HubError):
    """此令牌无权进行该操作 / this token may not do that"""

    code = "forbidden"
    status = 403


class NotFound(HubError):
    """没有找到 / not found"""

    code = "not_found"
    status = 404


class MethodNotAllowed(HubError):
    """该地址不支持此方法 / this address does not take this method"""

    code = "method_not_allowed"
    status = 405


class Conflict(HubError):
    """与现有内容冲突 / in conflict with what stands"""

    code = "conflict"
    status = 409


class Parked(HubError):
    """事件在所定版本中没有对应形式，请改定版本 / no form in the pinned version: pin another"""

    code = "inconvertible"
    status = 409


class CursorExpired(HubError):
    """游标之后有事件已超过保存期并被清除 / events after the cursor have expired and been purged"""

    # The hubtimes, RFC 3339, between which the feed still holds events: go on from the first.

    code = "cursor_expired"
    status = 410

    def __init__(self, *, from_: str, to: str) -> None:
        way_on = f'{{"since": "{from_}"}}'
        super().__init__(f"可从现存最早处继续：{way_on} / the way on: {way_on}")
        self._available = {"from": from_, "to": to}

    def members(self) -> dict[str, Any]:
        """The range that is there."""
        return {"available": self._available}


class PolicyChanged(HubError):
    """策略已被他人修改，请重新读取后再提交 / the policy has changed: read it again, then apply"""

    code = "policy_changed"
    status = 412


class PreconditionRequired(HubError):
    """缺少 If-Match 请求头 / the If-Match header is required"""

    code = "precondition_required"
    status = 428


class TooLarge(HubError):
    """内容超过上限 / larger than the limit"""

    code = "too_large"
    status = 413


class UnsupportedMediaType(HubError):
    """不支持的内容类型 / unsupported content type"""

    code = "unsupported_media_type"
    status = 415


class Invalid(HubError):
    """内容不符合要求 / the content does not fit"""

    code = "invalid"
    status = 422


class RequestTimeout(HubError):
    """请求发送过慢，已超时 / the request arrived too slowly"""

    code = "request_timeout"
    status = 408
    retryable = True


class TooManyAttempts(HubError):
    """无效令牌尝试过多，请稍后再试 / too many attempts without a valid token, try again later"""

    code = "too_many_attempts"
    status = 429
    retryable = True


class Overloaded(HubError):
    """系统繁忙，请稍后重试 / the hub is busy, try again later"""

    code = "overloaded"
    status = 503
    retryable = True


class ShareExceeded(HubError):
    """本机构同时处理的请求已达份额，请稍后重试 / this agency's share is in use, try again later"""

    code = "share_exceeded"
    status = 429
    retryable = True


class StorageFailed(HubError):
    """存储暂时无法读写，请稍后重试 / the storage cannot be read or written at the moment"""

    code = "storage_failed"
    status = 503
    retryable = True


class BackboneAway(HubError):
    """消息主干（Kafka）暂时无法写入，请稍后重试
    / the backbone's brokers do not answer at the moment: try again"""

    code = "backbone_away"
    status = 503
    retryable = True


class NotYetRegistered(HubError):
    """受理的事件尚在登记，暂不能答复，请稍后再查
    / what was accepted before is still being registered: ask again"""

    code = "not_yet_registered"
    status = 503
    retryable = True


class Superseded(HubError):
    """登记已由另一进程接手，请稍后重试 / another process has taken over the writing: try again"""

    code = "superseded"
    status = 503
    retryable = True


class IntakeNewer(HubError):
    """待登记的事件由更新版本的进程受理，须由同一版本的 work 登记；请完成升级
    / what waits was taken in by a newer version: let a `work` of that version register it"""

    code = "intake_newer"
    status = 503
    retryable = True


class NotYetReady(HubError):
    """系统正在启动，请稍后重试 / the hub is starting: try again"""

    code = "not_yet_ready"
    status = 503
    retryable = True


class Stopping(HubError):
    """系统正在停止 / the hub is stopping"""

    code = "stopping"
    status = 503
    retryable = True


class DataDirectoryInUse(HubError):
    """数据目录正被另一进程使用 / another process uses the data directory"""

    code = "data_directory_in_use"


class DataDirectoryDamaged(HubError):
    """数据目录中的数据库无法打开 / the database of the data directory cannot be opened"""

    code = "data_directory_damaged"


class DataDirectoryNewer(HubError):
    """数据目录由更新版本创建，请升级本程序 / a newer version made the data directory: upgrade"""

    code = "data_directory_newer"


class DataDirectoryMoved(HubError):
    """数据已移到 PostgreSQL：请设置 GUANTONG_DATABASE，确要用回旧库则删除文件 moved
    / the data has moved to PostgreSQL: set GUANTONG_DATABASE, or delete the file `moved`"""

    code = "data_directory_moved"


class DatabaseNotAlone(HubError):
    """up 须独占一个数据库，而另有进程在用：请停止其一，或都改为 serve 与 work
    / `up` needs a database for itself, and another process uses it: run serve and work instead"""

    code = "database_not_alone"


class DatabaseAddress(HubError):
    """数据库地址应为 postgresql+asyncpg://用户:口令@主机:端口/库名
    / a database is named postgresql+asyncpg://USER:PASSWORD@HOST:PORT/NAME"""

    code = "database_address"


class DatabaseAway(HubError):
    """数据库连接不上 / the database cannot be reached"""

    code = "database_away"
    status = 503
    retryable = True


class DatabaseUnfit(HubError):
    """数据库须为 PostgreSQL 15 以上、UTF8 编码
    / the database must be PostgreSQL 15 or newer, in UTF8"""

    code = "database_unfit"


class MoveFailed(HubError):
    """移库未完成，可再次执行 / the database was not moved; this can be done again"""

    code = "move_failed"


class NeedsDatabase(HubError):
    """须指明 PostgreSQL 数据库：--database 或 GUANTONG_DATABASE
    / this needs a PostgreSQL database: --database or GUANTONG_DATABASE"""

    code = "needs_database"


class NeedsParts(HubError):
    """主干为 Kafka 时须分开运行：guantong serve 和 guantong work
    / with Kafka for its backbone a hub runs in parts: guantong serve and guantong work"""

    code = "needs_parts"


class NeedsKafka(HubError):
    """主干为 Kafka 时须指明其地址：GUANTONG_KAFKA
    / the backbone is Kafka: name its brokers in GUANTONG_KAFKA"""

    code = "needs_kafka"


class KafkaMissing(HubError):
    """未安装 Kafka 组件，请执行 pip install 'guantong[kafka]'
    / what Kafka needs is not installed: pip install 'guantong[kafka]'"""

    code = "kafka_missing"


class KafkaAddress(HubError):
    """Kafka 的地址应为 主机:端口，多个以逗号分隔
    / Kafka's brokers are named HOST:PORT, several with commas between"""

    code = "kafka_address"


class KafkaLogin(HubError):
    """Kafka 的用户与口令须一并给出：GUANTONG_KAFKA_USER 与 GUANTONG_KAFKA_PASSWORD
    / a user of Kafka and the password go together: GUANTONG_KAFKA_USER, GUANTONG_KAFKA_PASSWORD"""

    code = "kafka_login"


class DirectoryNotEmpty(HubError):
    """目标目录已有内容，请换一个新目录 / the target directory holds something: name a new one"""

    code = "directory_not_empty"


class BackupFailed(HubError):
    """备份未完成，没有留下备份 / the backup could not be made, and none was left"""

    code = "backup_failed"


class BackupInvalid(HubError):
    """备份不完整或已损坏，未恢复 / the backup is incomplete or damaged: nothing was restored"""

    code = "backup_invalid"


class KafkaAway(HubError):
    """Kafka 连接不上 / Kafka cannot be reached"""

    code = "kafka_away"
    status = 503
    retryable = True


class KafkaLoginRefused(HubError):
    """Kafka 不接受此用户或口令，或须登录，请核对 GUANTONG_KAFKA_USER 与 GUANTONG_KAFKA_PASSWORD
    / Kafka does not accept the user or password, or wants one: check GUANTONG_KAFKA_USER and
    GUANTONG_KAFKA_PASSWORD"""

    code = "kafka_login_refused"
    status = 503
    retryable = True


class KafkaTls(HubError):
    """与 Kafka 的 TLS 连接不成，请核对 GUANTONG_KAFKA_CA 与端口
    / TLS with Kafka fails: check GUANTONG_KAFKA_CA and the port"""

    code = "kafka_tls"
    status = 503
    retryable = True


class KafkaDenied(HubError):
    """Kafka 不允许此账户这样做 / Kafka does not let this account do that"""

    code = "kafka_denied"


class KafkaRefused(HubError):
    """Kafka 没有接受 / Kafka did not accept what it was asked"""

    code = "kafka_refused"


class KafkaPartitions(HubError):
    """share 主题的分区数不得这样更改，未作任何改动
    / the partitions of the share topics do not change in this way: nothing was done"""

    code = "kafka_partitions"
