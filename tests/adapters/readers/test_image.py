"""Pictures inside a document: digests, and never the pictures."""

import base64
import hashlib
import io
import re
from pathlib import Path

import pytest

from adapters.kit.readers.image import Encoded, Picture
from adapters.kit.wanted import Wanted
from tests.adapters.readers.documents import read

WANTED = Wanted(
    titles={"photo": "照片"},
    required=frozenset(),
    ignored=frozenset(),
    images=frozenset({"photo"}),
)
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 400
TOLD = f"image/jpeg {len(JPEG)} {hashlib.new('sm3', JPEG).hexdigest()}"


def encoded(text: str, *, each: int) -> str:
    words = Encoded()
    for at in range(0, len(text), each):
        words.add(text[at : at + each])
    return str(words)


@pytest.mark.parametrize("each", [1, 3, 76, 100_000])
def test_a_picture_is_told_by_type_size_and_digest(each: int) -> None:
    assert encoded(base64.encodebytes(JPEG).decode(), each=each) == TOLD


@pytest.mark.parametrize("each", [1, 5, 8, 100])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ""),
        (" \r\n", ""),
        ("TVqQAAMAAAAEAAAA", "?"),
        ("/9j/4", "?"),
        ("/9j/ 4A==", "image/jpeg 4"),
        ("/9j/4A==/9j/4A==", "?"),
        ("不是编码！", "?"),
    ],
)
def test_what_is_no_picture_is_told_as_such(text: str, told: str, each: int) -> None:
    assert re.sub(" [0-9a-f]{64}$", "", encoded(text, each=each)) == told


def test_a_picture_that_is_too_large_is_none() -> None:
    picture = Picture()
    for _ in range(9):
        picture.add(JPEG[:4] * (1 << 18))
    assert str(picture) == "?"


def test_a_file_is_read_no_further_than_a_picture_may_go() -> None:
    picture, content = Picture(), io.BytesIO(JPEG[:4] * (1 << 22))
    picture.add_file(content)
    assert (str(picture), content.tell() < 9 << 20) == ("?", True)
    picture, content = Picture(), io.BytesIO(JPEG)
    picture.add_file(content)
    assert str(picture) == TOLD


def test_a_picture_in_xml_may_be_longer_than_a_cell_and_does_not_come_out(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(b"<r><photo>" + base64.encodebytes(JPEG) + b"</photo></r>")
    assert read(path, WANTED).columns == [{"photo": TOLD}]
