"""What the page about sinks says of their settings is so."""

import re
import tomllib
from pathlib import Path

from pydantic import BaseModel

from adapters.kit.sinks import columns
from adapters.kit.sinks.call import CallSettings
from adapters.kit.sinks.files import FilesSettings
from adapters.kit.sinks.ledger import LedgerSettings
from adapters.kit.sinks.ledgerform import Ledger
from adapters.kit.sinks.slip import SlipSettings
from adapters.kit.sinks.table import TableSettings

PAGE = Path(columns.__file__).with_name("README.md").read_text(encoding="utf-8")
SETTINGS: dict[str, type[BaseModel]] = {
    "ledger": LedgerSettings,
    "table": TableSettings,
    "files": FilesSettings,
    "call": CallSettings,
    "slip": SlipSettings,
}


def test_every_sink_is_listed_with_all_its_properties() -> None:
    listed = dict(re.findall(r"^\| `([a-z]+)` \|.*\| (.*) \|$", PAGE, re.MULTILINE))
    assert listed.keys() == SETTINGS.keys()
    for type_, properties in listed.items():
        named = re.findall(r"`([a-z_]+)(?: = [^`]*)?`", properties)
        assert sorted(named) == sorted(SETTINGS[type_].model_fields.keys() - {"type"})


def test_the_ledger_that_it_shows_is_one_once_it_has_its_key() -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    description = tomllib.loads(shown)
    description["columns"].insert(0, {"title": "线索编号", "pointer": "/clueid"})
    ledger = Ledger.model_validate(description)
    assert [column.title for column in ledger.columns] == ["线索编号", "被反映人", "处置方式"]
