"""The programs of Apache Kafka, each as it is pinned in `kafka.sha256`: from the cache or Maven.

`sha256sum -c` reads that file too, in the cache. `python -m deploy.local.jars` writes it anew.
"""

import fcntl
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Final

import jgo
from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext

# One broker's own. 4.4.0 does not resolve whole.
KAFKA: Final = "org.apache.kafka:kafka_2.13:4.3.1+org.slf4j:slf4j-simple:1.7.36"
# The console tools, alone: what they name beyond the broker's own is for Connect.
TOOLS: Final = "org.apache.kafka:kafka-tools:4.3.1"
PINNED: Final = Path(__file__).with_name("kafka.sha256")


class JarsMissing(Exception):
    """A program is not to be had, or is not the one that is pinned; the message tells which."""


def kafka_jars() -> tuple[Path, ...]:
    """Kafka's programs, as this machine's settings of jgo say where from and where to.

    Raises JarsMissing.
    """
    settings = GlobalSettings.load()
    # A mirror first: where there is one, Maven Central is often out of reach.
    return jars(
        PINNED, settings.repo_cache, {**settings.repositories, "central": MAVEN_CENTRAL_URL}
    )


def jars(pinned: Path, cache: Path, repositories: Mapping[str, str]) -> tuple[Path, ...]:
    """The pinned files in a cache of Maven's, fetched where they are missing, each compared.

    Raises JarsMissing.
    """
    wanted = read_pinned(pinned)
    with locked(cache):
        missing = {path: digest for path, digest in wanted.items() if not (cache / path).exists()}
        if missing:
            fetch(missing, cache, repositories)
    for path, digest in wanted.items():
        compare(cache / path, digest)
    return tuple(cache / path for path in wanted)


def read_pinned(file: Path) -> Mapping[PurePosixPath, str]:
    """Of each path in a Maven repository the SHA-256."""
    lines = (line.split("  ", 1) for line in file.read_text(encoding="ascii").splitlines())
    return {PurePosixPath(path): digest for digest, path in lines}


def fetch(
    missing: Mapping[PurePosixPath, str], cache: Path, repositories: Mapping[str, str]
) -> None:
    """Bring files into the cache: each is compared first, so none is there in part or changed."""
    with TemporaryDirectory(prefix="guantong-", dir=cache) as fresh:
        context = MavenContext(
            repo_cache=Path(fresh), local_repos=[], remote_repos=dict(repositories)
        )
        for path, digest in missing.items():
            *group, name, version, _ = path.parts
            component = context.project(".".join(group), name).at_version(version)
            try:
                brought = component.artifact(packaging="jar").resolve()
            except (OSError, RuntimeError) as failed:
                raise JarsMissing(
                    f"无法从 Maven 取得 {path}，请检查网络或 ~/.jgorc 中的镜像 / not to be had "
                    f"from Maven, look at the network or the mirror in ~/.jgorc: {failed}"
                ) from failed
            compare(brought, digest)
            (cache / path).parent.mkdir(parents=True, exist_ok=True)
            brought.replace(cache / path)


def compare(file: Path, digest: str) -> None:
    """Raises JarsMissing where a file is not what is pinned."""
    with file.open("rb") as read:
        found = hashlib.file_digest(read, "sha256").hexdigest()
    if found != digest:
        raise JarsMissing(
            f"{file} 与锁定的 SHA-256 不符，请查明原因后删除 / is not what is pinned, "
            f"find out why and delete it: {found}, {digest}"
        )


@contextmanager
def locked(cache: Path) -> Iterator[None]:
    """One process at a time fetches; the others find what it has brought."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "guantong.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def pin() -> None:
    """Resolve Kafka anew and pin what comes."""
    cache = GlobalSettings.load().repo_cache
    wanted = (*jgo.resolve(KAFKA), jgo.resolve(TOOLS)[0])
    found = sorted(artifact.resolve() for artifact in wanted)
    lines = (
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(cache).as_posix()}\n"
        for file in found
    )
    PINNED.write_text("".join(lines), encoding="ascii")


if __name__ == "__main__":
    pin()
