"""A drop folder: files that people or programs leave there, each one document.

    drop/                what is left here, and has been quiet for a while, is taken
    drop/claimed/        taken, and not answered for by the hub: "<number> <name>/<name>"
    drop/done/           taken over whole
    drop/rejected/       what people have to put right: a folder each, with the answers

A claim's number is its place in the order; a position is the number of the last document kept, so
claims above it are brought again after kill -9, and those up to it wait for their answer.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from heapq import nsmallest
from itertools import count
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from adapters.kit.port import Away, Brought, CannotRun, Outcome, Source
from adapters.kit.sources.copying import Changing, Copied, Gone, Refused, Result, copied
from adapters.kit.sources.files import held, new_file, shown, sync

_CLAIM: Final = re.compile(r"([0-9]{8,18}) (.+)", re.DOTALL)
# What programs leave while they write, and what Windows leaves in every folder.
_UNFINISHED: Final = (".tmp", ".part", ".partial", ".filepart", ".crdownload")
_HIDDEN: Final = (".", "~$")
_NOT_DOCUMENTS: Final = frozenset({"thumbs.db", "desktop.ini"})
_AT_ONCE: Final = 1_000
# Seconds that a file waits for the one that it goes with.
_WAITS: Final = 600.0
_ALONE: Final = "没有找到同名的表（如 张三.jpg 的 张三.lrm）；请与表一起放入，或一起压缩成 zip 放入"
_CHUNK: Final = 1 << 20


class FolderSettings(BaseModel):
    """A drop folder. A file is taken when it has not changed for `quiet` seconds; `take` are
    patterns of the names that count. One named as in `beside` goes with the one that is called
    like it but for the ending (a photograph with its form), and both are one document, a zip. One
    above `largest` bytes goes to `rejected`. Several adapters on one folder need each a `claimed`
    of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["folder"] = "folder"
    path: Path
    take: tuple[str, ...] = ("*",)
    beside: tuple[str, ...] = ()
    quiet: Annotated[float, Field(ge=0, le=86_400)] = 5
    largest: Annotated[int, Field(ge=1)] = 1 << 30
    claimed: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")] = "claimed"

    @contextmanager
    def opened(self, base: Path, *, clock: Callable[[], float] = time.time) -> Iterator[Source]:
        """The folder, made if need be, with what an earlier run has claimed.

        Raises CannotRun while another adapter claims there.
        """
        root = base / self.path
        folders = [root, *(root / name for name in ("done", "rejected", self.claimed))]
        made = [folder for folder in folders if not folder.is_dir()]
        for folder in made:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _, done, rejected, claimed = folders
        with ExitStack() as stack:
            try:
                descriptor = stack.enter_context(held(claimed, wait=False))
            except BlockingIOError:
                told = "另一个适配器正在使用该目录，请为其中一个另设 source 的 claimed"
                raise CannotRun(f"{claimed}：{told}") from None
            source = _Folder(
                self,
                Folders(root, claimed, done, rejected, descriptor),
                clock,
                unknown=claimed in made,
            )
            try:
                yield source
            finally:
                if source.unknown:
                    for folder in reversed(made):
                        _remove_empty(folder)


@dataclass(frozen=True, slots=True)
class Folders:
    """Where files lie, by what has become of them; `held` is the descriptor of `claimed`."""

    root: Path
    claimed: Path
    done: Path
    rejected: Path
    held: int

    @property
    def there(self) -> bool:
        """Whether they are those that were opened: a share comes and goes."""
        try:
            return os.path.samestat(os.stat(self.held), self.claimed.stat())
        except FileNotFoundError:
            return False


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file in the folder, whether it is the same as before, and the one that goes with it."""

    changed: float
    name: str
    signature: tuple[int, int, int]
    beside: "_Seen | None" = None


@dataclass(frozen=True, slots=True)
class _Claim:
    """A file taken: its place in the order, and what people call it."""

    number: int
    name: str
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / self.name


class _Folder:
    """The source; the claims are this process's alone.

    `unknown`: nothing was ever claimed here. A share that is not mounted looks so, too.
    """

    def __init__(
        self,
        settings: FolderSettings,
        folders: Folders,
        clock: Callable[[], float],
        *,
        unknown: bool,
    ) -> None:
        self.unknown = unknown
        self._settings = settings
        self._folders = folders
        self._clock = clock
        self._claims = {claim.number: claim for claim in _claims(folders)}
        self._waiting: list[_Seen] = []
        self._first_seen: dict[tuple[str, tuple[int, int, int]], float] = {}

    def bring(self, position: str, into: Path) -> Brought | None:
        if not re.fullmatch(r"[0-9]{0,18}", position):
            raise CannotRun("所记位置不是投放目录的，请核对 adapters.toml 中的 source")
        if not self._folders.there:
            raise Away(f"投放目录不在：{self._folders.root}")
        last = int(position or 0)
        if last:
            self._refuse_unknown()
        self.unknown = False
        if not self._waiting:
            self._waiting = self._quiet_files()
        while (claim := self._claimed_after(last) or self._claim(last)) is not None:
            match self._copied(claim, into):
                case Copied():
                    return Brought(claim.name, str(claim.number))
                case Changing():
                    self._put_back(claim)
                case Refused(reason):
                    self._refuse(claim, reason)
                case Gone():
                    # Of two, one may still be there.
                    _give_back(claim.folder, self._folders.root)
                    self._forget(claim)
        return None

    def _copied(self, claim: _Claim, into: Path) -> Result:
        if self._goes_beside(claim.name):
            return Refused(_ALONE)
        return copied((claim.file, *self._beside(claim)), into, self._settings.largest)

    def finished(self, name: str, outcome: Outcome) -> None:
        claim = next((claim for claim in self._claims.values() if claim.name == name), None)
        if claim is None:
            self._refuse_unknown()
            return
        self._put_aside_earlier(claim)
        if outcome.complete and not outcome.rejected:
            # The document itself last: as long as it lies there, this is not done.
            for file in (*self._beside(claim), claim.file):
                self._file(file, self._folders.done, file.name)
        else:
            for answer in outcome.answers:
                told = f"退回-{answer.name}" if answer.name == claim.name else answer.name
                with answer.open("rb") as written, new_file(claim.folder / told) as copy:
                    while chunk := written.read(_CHUNK):
                        copy.write(chunk)
            self._file(claim.folder, self._folders.rejected, claim.name)
        self._forget(claim)

    def _refuse_unknown(self) -> None:
        if self.unknown:
            claimed = self._folders.claimed
            told = f"没有 {claimed}，共享目录像是没有挂载；如已更换目录，请先建好它"
            raise Away(f"投放目录不在：{told}")

    def _put_aside_earlier(self, claim: _Claim) -> None:
        """What was rejected under this name before waits for nothing any more."""
        for earlier in list(self._folders.rejected.iterdir()):
            if _plain(earlier.name) == _plain(claim.name):
                self._file(earlier, self._folders.done, earlier.name)

    def _quiet_files(self) -> list[_Seen]:
        """Of the files that can be taken the oldest, by their last change and then their name."""
        now, quiet = self._clock(), self._settings.quiet
        seen = list(self._files())
        # By the change alone, a file from a machine whose clock is ahead would wait for long.
        before = self._first_seen
        self._first_seen = {
            (file.name, file.signature): before.get((file.name, file.signature), now)
            for file in seen
        }

        def rested(file: _Seen, least: float) -> bool:
            first = self._first_seen[file.name, file.signature]
            return now - file.changed >= least or now - first >= least

        ready = (
            file
            for file in self._paired(seen)
            if rested(file, max(quiet, _WAITS) if self._goes_beside(file.name) else quiet)
            and (file.beside is None or rested(file.beside, quiet))
        )
        return nsmallest(_AT_ONCE, ready, key=lambda file: (file.changed, os.fsencode(file.name)))

    def _paired(self, seen: list[_Seen]) -> Iterator[_Seen]:
        """The files that are documents, each with what goes with it; what goes with none is left
        over. Of several that would go with one, one that is called just so does, then the first by
        name."""
        others = [file for file in seen if not self._goes_beside(file.name)]
        called = {_stem(file.name) for file in others}
        called_just_so = {_as_written(file.name) for file in others}
        beside: dict[str, _Seen] = {}
        beside_just_so: dict[str, _Seen] = {}
        for file in sorted(seen, key=lambda file: file.name):
            if self._goes_beside(file.name):
                if (written := _as_written(file.name)) in called_just_so:
                    beside_just_so.setdefault(written, file)
                else:
                    beside.setdefault(_stem(file.name), file)
                if _stem(file.name) not in called:
                    yield file
        for file in others:
            just_so = beside_just_so.get(_as_written(file.name))
            yield replace(file, beside=just_so or beside.get(_stem(file.name)))

    def _files(self) -> Iterator[_Seen]:
        """What lies in the folder and can be a document."""
        with os.scandir(self._folders.root) as entries:
            for entry in entries:
                if self._counts(entry.name) and entry.is_file(follow_symlinks=False):
                    with suppress(FileNotFoundError):
                        yield _seen(entry.name, entry.stat(follow_symlinks=False))

    def _counts(self, name: str) -> bool:
        plain = shown(name).casefold()
        if name.startswith(_HIDDEN) or plain.endswith(_UNFINISHED) or plain in _NOT_DOCUMENTS:
            return False
        return _matches(name, (*self._settings.take, *self._settings.beside))

    def _goes_beside(self, name: str) -> bool:
        return _matches(name, self._settings.beside)

    def _beside(self, claim: _Claim) -> list[Path]:
        """What was claimed with a file."""
        return [
            each
            for each in claim.folder.iterdir()
            if _stem(each.name) == _stem(claim.name) and self._goes_beside(each.name)
        ]

    def _claimed_after(self, last: int) -> _Claim | None:
        """The first claim that is not kept: what an earlier run could not bring to its end."""
        return self._claims[min(n)] if (n := [n for n in self._claims if n > last]) else None

    def _claim(self, last: int) -> _Claim | None:
        """Take the next file; it is this process's, also when others try, when this returns."""
        while self._waiting:
            seen = self._waiting.pop(0)
            claim = self._new_claim(max([last, *self._claims]) + 1, seen.name)
            try:
                if not self._take(seen, claim):
                    continue
            except FileNotFoundError:
                _give_back(claim.folder, self._folders.root)
                continue
            sync(claim.folder, self._folders.claimed, self._folders.root)
            self._claims[claim.number] = claim
            return claim
        return None

    def _take(self, seen: _Seen, claim: _Claim) -> bool:
        """Move a file to its claim, and first what goes with it: it is taken when it lies there
        itself. False when one of them is not what was seen."""
        together = [seen] if seen.beside is None else [seen.beside, seen]
        for file in together:
            now = _seen(file.name, (self._folders.root / file.name).lstat())
            if now.signature != file.signature or now.changed != file.changed:
                return False
        claim.folder.mkdir(mode=0o700, exist_ok=True)
        if seen.beside is not None:
            name = Path(claim.name).stem + Path(shown(seen.beside.name)).suffix
            (self._folders.root / seen.beside.name).rename(claim.folder / name)
        (self._folders.root / seen.name).rename(claim.file)
        return True

    def _new_claim(self, number: int, file: str) -> _Claim:
        """Under a name that no document has that waits, is done or rejected."""
        taken = {claim.name for claim in self._claims.values()}
        name = _unused(
            shown(file),
            number,
            lambda name: (
                name in taken
                or os.path.lexists(self._folders.done / name)
                or os.path.lexists(self._folders.rejected / name)
            ),
        )
        return _Claim(number, name, self._folders.claimed / f"{number:08d} {name}")

    def _put_back(self, claim: _Claim) -> None:
        # Whoever writes it may make another of the first name at any moment.
        for file in (*self._beside(claim), claim.file):
            file.rename(self._folders.root / _numbered(file.name, claim.number))
        sync(self._folders.root, claim.folder)
        self._forget(claim)

    def _refuse(self, claim: _Claim, reason: str) -> None:
        self._put_aside_earlier(claim)
        with new_file(claim.folder / f"说明-{claim.name}.txt") as explanation:
            explanation.write(f"\ufeff{claim.name}：{reason}\r\n".encode())
        self._file(claim.folder, self._folders.rejected, claim.name)
        self._forget(claim)

    def _file(self, path: Path, folder: Path, name: str) -> None:
        """Move to a folder, under another name where another has this one."""
        with held(folder, wait=True):
            free = _unused(name, 2, lambda name: os.path.lexists(folder / name))
            path.rename(folder / free)
            sync(folder, path.parent)

    def _forget(self, claim: _Claim) -> None:
        del self._claims[claim.number]
        _remove_empty(claim.folder)


def _claims(folders: Folders) -> Iterator[_Claim]:
    """What an earlier run has claimed; what it had not claimed whole is given back."""
    for folder in sorted(folders.claimed.iterdir()):
        if (named := _CLAIM.fullmatch(folder.name)) is None:
            continue
        claim = _Claim(int(named[1]), named[2], folder)
        if os.path.lexists(claim.file):
            yield claim
        else:
            _give_back(folder, folders.root)


def _give_back(folder: Path, root: Path) -> None:
    """Put what lies in a claim of which the document is not there back where it was found."""
    with suppress(FileNotFoundError):
        for file in list(folder.iterdir()):
            name = _unused(_plain(file.name), 2, lambda name: os.path.lexists(root / name))
            file.rename(root / name)
            sync(root, folder)
    _remove_empty(folder)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _seen(name: str, status: os.stat_result) -> _Seen:
    # A copy may keep the time of its original; when it was made shows in the inode alone.
    changed = max(status.st_mtime, status.st_ctime)
    return _Seen(changed, name, (status.st_ino, status.st_size, status.st_mtime_ns))


def _unused(name: str, first: int, used: Callable[[str], bool]) -> str:
    """The name, or with the first number under which nobody has it."""
    if not used(name):
        return name
    return next(each for n in count(first) if not used(each := _numbered(name, n)))


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    plain = shown(name).casefold()
    return any(fnmatchcase(plain, pattern.casefold()) for pattern in patterns)


def _stem(name: str) -> str:
    """What files are called alike by: all but the ending, in capitals or not."""
    return _as_written(name).casefold()


def _as_written(name: str) -> str:
    return os.path.splitext(shown(name))[0]


def _numbered(name: str, number: int) -> str:
    stem, suffix = os.path.splitext(_plain(name))
    return f"{stem}#{number}{suffix}"


def _plain(name: str) -> str:
    """The name as it was before it was numbered."""
    return re.sub(r"#[0-9]{1,18}(?=(\.[^.]*)?$)", "", name)
