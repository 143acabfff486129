"""What sources bring can be read, and the page about them says what they take."""

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import SecretStr, TypeAdapter

import adapters.kit.sources
from adapters.kit.config import SourceSettings
from adapters.kit.port import Place, Record
from adapters.kit.readers.opening import opened
from adapters.kit.sources.sql import SqlSettings
from adapters.kit.wanted import Wanted
from tests.adapters.sources.stands import SqlStand

README = Path(adapters.kit.sources.__path__[0]) / "README.md"
EXAMPLES = re.findall(r"```toml\nsource = (.*)\n```", README.read_text(encoding="utf-8"))


def test_every_source_is_shown_once_on_the_page() -> None:
    shown = [tomllib.loads(f"source = {example}")["source"] for example in EXAMPLES]
    assert [example["type"] for example in shown] == ["folder", "sql", "http", "webhook", "kafka"]
    settings: TypeAdapter[Any] = TypeAdapter(SourceSettings)
    for example in shown:
        assert settings.validate_python(example).type == example["type"]


def test_the_rows_of_a_table_are_records(tmp_path: Path) -> None:
    stand = SqlStand(tmp_path)
    stand.run(
        "INSERT INTO v_xfj VALUES (1, '2026-10-03 09:00:00', '小区公共收益\n未公开'),"
        " (2, '2026-10-03 09:00:01', NULL)"
    )
    settings = SqlSettings(
        url=SecretStr(stand.url),
        table="v_xfj",
        columns=("id", "gxsj", "gkxx"),
        changed="gxsj",
        key="id",
    )
    with settings.opened(tmp_path) as source:
        brought = source.bring("", tmp_path / "raw")
    assert brought is not None
    titles = {name: name for name in ("id", "gxsj", "gkxx")}
    wanted = Wanted(titles=titles, required=frozenset({"id"}), ignored=frozenset())
    with opened(tmp_path / "raw", brought.name, wanted) as reader:
        assert list(reader.read()) == [
            Record(
                1,
                Place(brought.name, 1),
                {"id": "1", "gxsj": "2026-10-03 09:00:00", "gkxx": "小区公共收益\n未公开"},
            ),
            Record(
                2, Place(brought.name, 2), {"id": "2", "gxsj": "2026-10-03 09:00:01", "gkxx": ""}
            ),
        ]
