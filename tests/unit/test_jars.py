"""The programs of Kafka: those that are pinned and no others, from a mirror or a full cache."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from deploy.local.jars import PINNED, JarsMissing, jars, read_pinned

HELLO = "org/example/hello/1.0/hello-1.0.jar"
TOOLS = "org/example/deep/tools_2.13/2.1/tools_2.13-2.1.jar"


@dataclass(frozen=True)
class Mirror:
    """A repository of Maven's on this machine, with what it was asked for."""

    folder: Path
    url: str
    asked: list[str] = field(default_factory=list)

    @property
    def repositories(self) -> dict[str, str]:
        """As jgo takes them."""
        return {"mirror": self.url}


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror with two programs."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "mirror"
    for path, content in ((HELLO, b"hello"), (TOOLS, b"tools")):
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_bytes(content)
    with mirrored(folder) as started:
        yield started


@pytest.fixture
def pinned(mirror: Mirror, tmp_path: Path) -> Path:
    """Both of them, pinned as they are there."""
    file = tmp_path / "pinned.sha256"
    digests = {
        path: hashlib.sha256((mirror.folder / path).read_bytes()).hexdigest()
        for path in (HELLO, TOOLS)
    }
    file.write_text("".join(f"{digest}  {path}\n" for path, digest in digests.items()))
    return file


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache that is not there yet."""
    return tmp_path / "cache"


def test_many_that_come_at_once_to_an_empty_cache_fetch_each_program_once(
    mirror: Mirror, pinned: Path, cache: Path
) -> None:
    with ThreadPoolExecutor(4) as threads:
        each = [threads.submit(jars, pinned, cache, mirror.repositories) for _ in range(4)]
    assert [one.result() for one in each] == [(cache / HELLO, cache / TOOLS)] * 4
    assert contents(cache) == {HELLO: b"hello", TOOLS: b"tools", "guantong.lock": b""}
    assert [path for path in mirror.asked if path.endswith(".jar")] == [f"/{HELLO}", f"/{TOOLS}"]


def test_a_full_cache_needs_no_network(mirror: Mirror, pinned: Path, cache: Path) -> None:
    jars(pinned, cache, mirror.repositories)
    asked = len(mirror.asked)
    assert jars(pinned, cache, {"none": "http://127.0.0.1:9"}) == (cache / HELLO, cache / TOOLS)
    assert len(mirror.asked) == asked


def test_what_a_mirror_has_changed_is_refused_and_does_not_come_into_the_cache(
    mirror: Mirror, pinned: Path, cache: Path
) -> None:
    (mirror.folder / TOOLS).write_bytes(b"other")
    with pytest.raises(JarsMissing, match=r"tools_2\.13-2\.1\.jar .* / is not what is pinned"):
        jars(pinned, cache, mirror.repositories)
    assert contents(cache) == {HELLO: b"hello", "guantong.lock": b""}


def test_what_was_changed_in_the_cache_is_refused_until_it_is_fetched_anew(
    mirror: Mirror, pinned: Path, cache: Path
) -> None:
    jars(pinned, cache, mirror.repositories)
    (cache / HELLO).write_bytes(b"hellO")
    with pytest.raises(JarsMissing, match=r"hello-1\.0\.jar .* / is not what is pinned"):
        jars(pinned, cache, mirror.repositories)
    (cache / HELLO).unlink()
    jars(pinned, cache, mirror.repositories)
    assert contents(cache) == {HELLO: b"hello", TOOLS: b"tools", "guantong.lock": b""}


@pytest.mark.parametrize("away", ["program", "mirror"])
def test_what_is_nowhere_to_be_had_is_named_and_leaves_nothing_half(
    mirror: Mirror, pinned: Path, cache: Path, away: str
) -> None:
    (mirror.folder / HELLO).unlink()
    url = mirror.url if away == "program" else "http://127.0.0.1:9"
    with pytest.raises(JarsMissing, match=r"hello-1\.0\.jar.* / not to be had from Maven"):
        jars(pinned, cache, {"mirror": url})
    assert contents(cache) == {"guantong.lock": b""}


def test_what_is_pinned_names_no_host_and_each_program_once() -> None:
    lines = PINNED.read_text(encoding="ascii").splitlines()
    assert len(read_pinned(PINNED)) == len(lines)
    assert [line for line in lines if ":" in line] == []
    assert [path.name for path in read_pinned(PINNED) if path.name.startswith("kafka_")] == [
        "kafka_2.13-4.3.1.jar"
    ]


@contextmanager
def mirrored(folder: Path) -> Iterator[Mirror]:
    """Serve a folder on a free port."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            asked.append(self.path)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is written."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield Mirror(folder, f"http://127.0.0.1:{server.server_port}", asked)
        finally:
            server.shutdown()
            thread.join()


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
