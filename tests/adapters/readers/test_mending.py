"""XML as careless systems write it, repaired before it is read."""

from pathlib import Path
from time import process_time

import pytest

from adapters.kit.port import FaultKind
from adapters.kit.readers.limits import Limits
from adapters.kit.readers.mending import mended
from adapters.kit.wanted import Wanted
from tests.adapters.readers.documents import read

WANTED = Wanted(
    titles={"a": "甲"}, required=frozenset(), ignored=frozenset(), records="r", mended=True
)


@pytest.mark.parametrize(
    ("written", "repaired"),
    [
        ("<a>R&D & A&B</a>", "<a>R&amp;D &amp; A&amp;B</a>"),
        ("<a>&amp; &lt; &#20013; &#x4e2d;</a>", None),
        ("<a>&nbsp; &unknown;</a>", None),
        ("<a>&amp &#; &#xZ;</a>", "<a>&amp;amp &amp;#; &amp;#xZ;</a>"),
        ("<a>一<br>二<BR >三</a>", "<a>一<br/>二<br/>三</a>"),
        ("<a>一<br/>二<br></br>三</a>", None),
        ("<a><![CDATA[R&D<br>]]>&</a><!-- & -->", "<a><![CDATA[R&D<br>]]>&amp;</a><!-- & -->"),
        ("<a><![CDATA[R&D", None),
    ],
)
def test_only_bare_ampersands_and_unclosed_breaks_are_repaired(
    written: str, repaired: str | None
) -> None:
    assert mended(written).text == (repaired or written)
    assert bool(mended(written).notices) == (repaired is not None)


def test_what_was_repaired_is_told_once_with_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_text("<x>\n<r><a>R&D</a></r>\n<r><a>一<br>二</a></r></x>", encoding="utf-8")
    got = read(path, WANTED)
    assert got.columns == [{"a": "R&D"}, {"a": "一\n二"}]
    (notice,) = got.notices
    assert notice.kind is FaultKind.NOTICE
    assert notice.reason.startswith("XML 有 2 处 & 或 <br> 没有按规定书写（先见于第 2 行）")


def test_a_reference_that_xml_does_not_know_ends_the_document(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_text("<x><r><a>&nbsp;</a></r></x>", encoding="utf-8")
    (fault,) = read(path, WANTED).faults
    assert (fault.kind, fault.reason) == (
        FaultKind.FILE,
        "XML 从第 1 行起不合语法，此后的内容无法读取",
    )


def test_a_document_that_is_held_as_a_whole_is_not_too_large(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_text("<x>" + "<r/>" * 300_000 + "</x>", encoding="utf-8")
    (fault,) = read(path, WANTED, limits=Limits(whole_bytes=1 << 20)).faults
    assert fault.reason == "文件超过 1 MiB"


def test_a_document_that_is_all_to_be_repaired_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_text(f"<r><a>{'&' * 200_001}</a></r>", encoding="utf-8")
    got = read(path, WANTED)
    assert [fault.reason for fault in got.faults] == [
        "XML 有超过 200000 处 & 或 <br> 没有按规定书写"
    ]


@pytest.mark.parametrize("part", ["<![CDATA[", "<!--", "<br ", "&", "<br>\n"])
def test_repairing_takes_time_as_the_document_is_long(part: str) -> None:
    started = process_time()
    mended(part * 100_000)
    assert process_time() - started < 2
