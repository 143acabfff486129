"""The AsyncAPI document: self-contained, true to the contracts, and accepted by its own parser."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import jsonschema_rs
import pytest
from jsonschema import Draft7Validator

from contracts.asyncapi.document import document
from contracts.catalogue import Catalogue, load_catalogue
from contracts.contract import Contract
from contracts.publishing import released
from hub.backbone.records import outgoing
from hub.intake.kafkasessions import GROUP
from hub.policy.document import PolicyDocument, parse
from hub.upkeep.topics import GROUP_MARK, Feed, Layout, wanted
from tests.examples import INVALID, VALID, contract_of, payload_in
from tests.running import PATIENCE
from tests.sample import CITY, PETITION, admitted, petition, policy

Json = dict[str, Any]

PARSER: Final = "@asyncapi/parser@3.6.6"
# Prints what the parser calls an error, as JSON.
PARSE: Final = """
const { Parser } = require("@asyncapi/parser");
const text = require("fs").readFileSync(process.argv[1], "utf8");
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
def parser(request: pytest.FixtureRequest) -> Path:
    """A folder in which the parser is installed; it is kept for the next run."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("there is no node here")
    kept: Path = request.config.cache.mkdir("asyncapi") / PARSER.replace("/", "-")
    if kept.exists():
        return kept
    with TemporaryDirectory(dir=kept.parent) as around:
        # Whole or not at all, whoever is interrupted.
        fresh = Path(around) / "parser"
        asked = [npm, "install", f"--prefix={fresh}", "--no-audit", "--no-fund", "--ignore-scripts"]
        try:
            installed = subprocess.run(
                [*asked, PARSER], capture_output=True, timeout=PATIENCE, text=True
            )
        except subprocess.TimeoutExpired:
            pytest.skip("the registry of npm does not answer")
        if installed.returncode != 0:
            pytest.skip(f"npm cannot install the parser: {installed.stderr[:200]}")
        fresh.rename(kept)
    return kept


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


def test_the_whole_of_it_is_what_asyncapi_s_own_schema_asks_for(parser: Path, told: Json) -> None:
    specification = parser / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0.json"
    schema = jsonschema_rs.Draft7Validator(json.loads(specification.read_text(encoding="utf-8")))
    assert [error.instance_path for error in schema.iter_errors(told)] == []
    wrong = deepcopy(told)
    wrong["channels"]["rejected"]["bindings"]["kafka"]["partitions"] = "one"
    (error,) = schema.iter_errors(wrong)
    assert error.instance_path == ["channels", "rejected"]


def test_the_parser_of_asyncapi_finds_no_error(parser: Path, tmp_path: Path) -> None:
    # It reads each payload anew wherever a message stands, for seconds, and payloads are alike to
    # it; all of them are looked at above.
    one_each = {c.family: c for c in sorted(load_catalogue(), key=lambda c: c.name)}
    told = document(Catalogue([*one_each.values()][:8]))
    (tmp_path / "asyncapi.json").write_text(json.dumps(told), encoding="utf-8")
    run = subprocess.run(
        ["node", "-e", PARSE, tmp_path / "asyncapi.json"],
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
    channels = {name: channel["messages"].keys() for name, channel in told["channels"].items()}
    assert channels["events"] == names.keys()
    assert channels["pull"] == {f"{name}.view" for name in names}
    assert channels["intake"] == names.keys() | {f"{name}.binary" for name in names}
    assert channels["feed"] == {f"{name}.view.binary" for name in names}
    assert channels["rejected"] == {"refusal"}
    by_family = {
        name: family for family in set(names.values()) for name in channels[f"share.{family}"]
    }
    assert by_family == {f"{name}.binary": family for name, family in names.items()}


def test_addresses_are_those_that_clients_rely_on(told: Json) -> None:
    addresses = {name: channel["address"] for name, channel in told["channels"].items()}
    shared = {n: a for n, a in addresses.items() if n.startswith("share.")}
    assert all(name == address for name, address in shared.items())
    assert {n: a for n, a in addresses.items() if n not in shared} == {
        "events": "/v1/events",
        "pull": "/v1/subscriptions/{subscription}/events",
        "intake": "intake.{agency}",
        "rejected": "rejected.{agency}",
        "feed": "feed.{agency}.{subscription}",
    }
    for channel in told["channels"].values():
        named = set(re.findall(r"\{(\w+)\}", channel["address"]))
        assert channel.get("parameters", {}).keys() == named


def test_topics_are_told_as_kafka_is_made_to_hold_them(told: Json) -> None:
    catalogue = load_catalogue()
    document = parse(json.dumps(policy()).encode())
    assert isinstance(document, PolicyDocument)
    feeds = [Feed(CITY, f"feed.{CITY}.all")]
    made = wanted(document, catalogue, Layout(largest=1), feeds=feeds, now=0).topics
    channels = told["channels"]
    topics = {name for name in channels if channels[name].get("bindings")}
    assert topics == {n for n in made if n.startswith("share.")} | {"intake", "rejected", "feed"}
    for name, topic in made.items():
        channel = name if name in channels else name.partition(".")[0]
        binding = channels[channel]["bindings"]["kafka"]
        settings = binding["topicConfiguration"]
        assert {n: ",".join(v) for n, v in settings.items()}.items() <= topic.settings.items()
        assert binding.get("partitions", topic.partitions) == topic.partitions
        # What a deployment decides is not told.
        assert "partitions" not in binding or channel == "rejected"
        assert [held["$ref"] for held in channels[channel]["servers"]] == ["#/servers/kafka"]


def test_groups_are_told_as_kafka_lets_them_in(told: Json) -> None:
    operations = told["operations"]
    bound = {
        n: o["bindings"]["kafka"] for n, o in operations.items() if "kafka" in o.get("bindings", {})
    }
    assert bound.keys() == {"intake.receive", "rejected.send", "feed.send"}
    assert bound["intake.receive"]["groupId"]["const"] == GROUP
    assert bound["intake.receive"]["clientId"]["const"] == "guantong"
    for name in ("rejected.send", "feed.send"):
        allowed = Draft7Validator(bound[name]["groupId"])
        for agency in (PETITION, f"{PETITION}.12345"):
            assert allowed.is_valid(f"{agency}{GROUP_MARK}refusals")
            assert not allowed.is_valid(f"{agency}.refusals")
        assert not allowed.is_valid(f"x{PETITION}{GROUP_MARK}refusals")


def test_a_message_takes_the_examples_of_its_contract_and_refuses_another_type(told: Json) -> None:
    components = {"components": told["components"]}
    for example in VALID:
        contract = contract_of(example)
        name = f"{contract.type}-{contract.version}"
        payload = told["components"]["messages"][name]["payload"]
        attributes = {
            "specversion": "1.0",
            "id": "1",
            "source": "/510100.petition",
            "type": contract.type,
            "time": "2026-11-01T09:00:00+08:00",
            "dataschema": contract.urn,
        }
        event = {**attributes, "data": payload_in(example)}
        validator = Draft7Validator({**payload, **components})
        assert list(validator.iter_errors(event)) == []
        assert not validator.is_valid({**event, "type": "another.type"})
        assert not validator.is_valid({n: v for n, v in event.items() if n != "source"})

        binary = told["components"]["messages"][f"{name}.binary"]
        assert binary["payload"] == {"$ref": f"#/components/schemas/{name}"}
        headers = {f"ce_{n}": v for n, v in attributes.items()}
        headers["content-type"] = "application/json; charset=utf-8"
        validator = Draft7Validator({**binary["headers"], **components})
        assert list(validator.iter_errors(headers)) == []
        assert not validator.is_valid({**headers, "ce_type": "another.type"})
        for needed in headers:
            assert not validator.is_valid({n: v for n, v in headers.items() if n != needed})


def test_what_the_hub_itself_writes_is_a_message_of_its_family_s_topic(told: Json) -> None:
    event = petition("told")
    more = {name: event[name] for name in ("specversion", "time", "dataschema")}
    data = json.dumps(event["data"]).encode()
    sent = outgoing(admitted("told", data=data, **more), partitions=4)
    (message,) = [
        told["components"]["messages"][name]
        for name in told["channels"][sent.topic]["messages"]
        if name == "petition.case_transferred-1.0.binary"
    ]
    components = {"components": told["components"]}
    headers = {name: value.decode("latin-1") for name, value in sent.headers}
    assert list(Draft7Validator({**message["headers"], **components}).iter_errors(headers)) == []
    payload = Draft7Validator({**message["payload"], **components})
    assert list(payload.iter_errors(json.loads(sent.value))) == []


def test_a_message_refuses_what_its_contract_s_schema_refuses(told: Json) -> None:
    components = {"components": told["components"]}

    @cache
    def engines(contract: Contract) -> tuple[Draft7Validator, Draft7Validator]:
        hoisted = told["components"]["schemas"][f"{contract.type}-{contract.version}"]
        return Draft7Validator({**hoisted, **components}), Draft7Validator(released(contract))

    differing = []
    for example in INVALID:
        hoisted, own = engines(contract_of(example))
        payload = payload_in(example)
        if hoisted.is_valid(payload) != own.is_valid(payload):
            differing.append(example.name)
    assert differing == []
