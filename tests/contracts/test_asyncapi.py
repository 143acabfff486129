"""The AsyncAPI document: self-contained, true to the contracts, and accepted by its own parser."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft7Validator

from contracts.asyncapi import document
from contracts.catalogue import load_catalogue
from contracts.contract import Contract
from tests.examples import INVALID, VALID, contract_of, payload_in
from tests.running import PATIENCE

Json = dict[str, Any]

PARSER: Final = "@asyncapi/parser@3.6.6"
# Prints what the parser calls an error, as JSON.
PARSE: Final = """
const { Parser } = require("@asyncapi/parser");
const text = require("fs").readFileSync(process.argv[2], "utf8");
new Parser().parse(text).then(({ document, diagnostics }) => {
  const errors = diagnostics.filter((found) => found.severity === 0);
  const messages = document ? document.allMessages().all().length : 0;
  console.log(JSON.stringify({ errors: errors.slice(0, 20), messages }));
});
"""


@pytest.fixture(scope="module")
def told() -> Json:
    """The document."""
    return document(load_catalogue())


@pytest.fixture(scope="module")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the parser is installed."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("there is no node here")
    folder = tmp_path_factory.mktemp("parser")
    asked = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", PARSER]
    try:
        installed = subprocess.run(
            asked, cwd=folder, capture_output=True, timeout=PATIENCE, text=True
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the registry of npm does not answer")
    if installed.returncode != 0:
        pytest.skip(f"npm cannot install the parser: {installed.stderr[:200]}")
    return folder


def references(value: Any) -> Iterator[str]:
    """Every reference inside a value."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for held in value.values():
            yield from references(held)
    elif isinstance(value, list):
        for held in value:
            yield from references(held)


def test_the_parser_of_asyncapi_finds_no_error(parser: Path, told: Json) -> None:
    (parser / "asyncapi.json").write_text(json.dumps(told), encoding="utf-8")
    (parser / "parse.cjs").write_text(PARSE, encoding="utf-8")
    run = subprocess.run(
        ["node", "parse.cjs", "asyncapi.json"],
        cwd=parser,
        capture_output=True,
        timeout=PATIENCE,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout) == {"errors": [], "messages": len(told["components"]["messages"])}


def test_every_reference_stays_inside_the_document(told: Json) -> None:
    for reference in set(references(told)):
        held: Any = told
        for step in reference.removeprefix("#/").split("/"):
            held = held[step]
        assert reference.startswith("#/")


def test_every_version_is_a_message_of_the_doors_and_of_its_family(told: Json) -> None:
    names = {f"{c.type}-{c.version}": c.family for c in load_catalogue()}
    channels = told["channels"]
    assert channels["events"]["messages"].keys() == names.keys()
    assert channels["intake"]["messages"].keys() == names.keys()
    assert channels["feed"]["messages"].keys() == {f"{name}.view" for name in names}
    by_family = {
        name: family
        for family in set(names.values())
        for name in channels[f"share.{family}"]["messages"]
    }
    assert by_family == names


def test_addresses_are_those_that_clients_rely_on(told: Json) -> None:
    addresses = {name: channel["address"] for name, channel in told["channels"].items()}
    shared = {n: a for n, a in addresses.items() if n.startswith("share.")}
    assert all(name == address for name, address in shared.items())
    assert {n: a for n, a in addresses.items() if n not in shared} == {
        "events": "/v1/events",
        "pull": "/v1/subscriptions/{subscription}/events",
        "intake": "intake.{agency}",
        "feed": "feed.{agency}.{subscription}",
    }
    for channel in told["channels"].values():
        named = set(re.findall(r"\{(\w+)\}", channel["address"]))
        assert channel.get("parameters", {}).keys() == named


def test_a_message_takes_the_examples_of_its_contract_and_refuses_another_type(told: Json) -> None:
    components = {"components": told["components"]}
    for example in VALID:
        contract = contract_of(example)
        payload = told["components"]["messages"][f"{contract.type}-{contract.version}"]["payload"]
        event = {
            "specversion": "1.0",
            "id": "1",
            "source": "/510100.petition",
            "type": contract.type,
            "time": "2026-11-01T09:00:00+08:00",
            "dataschema": contract.urn,
            "data": payload_in(example),
        }
        validator = Draft7Validator({**payload, **components})
        assert list(validator.iter_errors(event)) == []
        assert not validator.is_valid({**event, "type": "another.type"})
        assert not validator.is_valid({n: v for n, v in event.items() if n != "source"})


def test_a_message_refuses_what_its_contract_s_schema_refuses(told: Json) -> None:
    components = {"components": told["components"]}
    differing = []

    @cache
    def own(contract: Contract) -> Draft7Validator:
        return Draft7Validator(contract.schema())

    for example in INVALID:
        contract, payload = contract_of(example), payload_in(example)
        hoisted = told["components"]["schemas"][f"{contract.type}-{contract.version}"]
        validator = Draft7Validator({**hoisted, **components})
        if validator.is_valid(payload) != own(contract).is_valid(payload):
            differing.append(example.name)
    assert differing == []
