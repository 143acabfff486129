"""`/openapi.json` tells of every route what it is, takes and answers, and tells the truth."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.catalogue import load_catalogue
from hub.app.embedded import embedded
from hub.app.ground import metrics_here
from hub.logs import logger
from hub.settings import Settings
from hub.web.operation import EVERY_TOKEN, Described
from tests.running import RunningHub
from tests.sample import CITY

Json = dict[str, Any]
CHINESE = re.compile("[\u4e00-\u9fff]")
BODIES: dict[str, Json] = {"POST": {}, "PUT": {}, "PATCH": {}}


@pytest.fixture(scope="module")
def told(hub: RunningHub) -> Json:
    """The document, as anybody gets it."""
    with hub.client(None) as client:
        answer = client.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    document: Json = answer.json()
    return document


@pytest.fixture(scope="module")
def tokens(hub: RunningHub) -> dict[str, str]:
    """A token of an agency, and one of each role alone."""
    with hub.admin as admin:
        issued: dict[str, str] = {
            role: admin.post("/v1/tokens", json={"role": role}).json()["token"]
            for role in EVERY_TOKEN
            if role != "agency"
        }
    return {"agency": hub.token(CITY), **issued}


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Path, method and operation of each."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


async def test_every_route_is_described(tmp_path: Path, told: Json) -> None:
    log = logger(level=logging.CRITICAL)
    metrics = metrics_here()
    async with embedded(tmp_path, settings=Settings(), metrics=metrics, log=log) as (
        _,
        edge,
    ):
        routes = edge.app.routes
    assert [route for route in routes if not isinstance(route, Described)] == []
    served = [(r.path_format, r.method) for r in routes if isinstance(r, Described)]
    assert sorted(served) == sorted((path, method) for path, method, _ in operations(told))


def test_what_is_described_is_whole_and_in_both_languages(told: Json) -> None:
    names = [operation["operationId"] for _, _, operation in operations(told)]
    assert sorted(names) == sorted(set(names))
    for path, method, operation in operations(told):
        meanings = [operation["summary"], *(p["description"] for p in operation["parameters"])]
        for meaning in meanings:
            zh, separator, en = meaning.partition(" / ")
            assert separator and CHINESE.search(zh) and re.search("[a-z]", en), (path, meaning)
            assert not CHINESE.search(en), (path, meaning)
        in_path = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
        assert in_path == re.findall(r"\{(\w+)\}", path), path
        assert min(operation["responses"]) < "400", (path, method)


def test_every_reference_leads_somewhere_and_nothing_is_left_over(told: Json) -> None:
    there = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "responses")
        for name in told["components"][kind]
    }
    assert set(references(told)) == there
    for schema in told["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def references(part: Any) -> Iterator[str]:
    """Every `$ref` inside."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_published_events_are_linked_to_every_contract(hub: RunningHub, told: Json) -> None:
    contents = told["paths"]["/v1/events"]["post"]["requestBody"]["content"]
    event = contents["application/cloudevents+json"]["schema"]
    assert contents["application/cloudevents-batch+json"]["schema"]["items"] == event
    linked = {
        choice["properties"]["dataschema"]["const"]: choice["externalDocs"]["url"]
        for choice in event["oneOf"]
    }
    assert linked.keys() == {contract.urn for contract in load_catalogue()}
    with hub.admin as admin:
        schemas = {admin.get(url).json()["$id"]: url for url in linked.values()}
    assert schemas == linked


@pytest.mark.parametrize("who", EVERY_TOKEN)
def test_a_token_is_taken_just_where_the_document_says(
    hub: RunningHub, told: Json, tokens: dict[str, str], who: str
) -> None:
    """A number or id that does not exist stands in each path."""
    wrong = []
    with hub.client(tokens[who]) as client:
        for path, method, operation in operations(told):
            address = path.replace("{number}", "0").replace("{id}", "none")
            query = {p["name"]: "x" for p in operation["parameters"] if p["required"]}
            body = BODIES.get(method)
            answer = client.request(method, address, params=query, json=body)
            named = [who_ for given in operation["security"] for who_ in given["token"]]
            refused = answer.status_code == 403
            if refused != (bool(named) and who not in named):
                wrong.append((method, path, answer.status_code))
    assert wrong == []


def test_another_method_is_told_which_the_address_takes(hub: RunningHub, told: Json) -> None:
    with hub.client(None) as client:
        for path, methods in told["paths"].items():
            answer = client.request("TRACE", re.sub(r"\{\w+\}", "1", path))
            assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed"), path
            taken = {method.upper() for method in methods}
            also = {"HEAD"} if "GET" in taken else set()
            assert answer.headers["allow"] == ", ".join(sorted(taken | also)), path


def test_without_a_token_only_what_names_nobody_is_served(hub: RunningHub, told: Json) -> None:
    open_to_all = set()
    with hub.client(None) as client:
        for path, method, operation in operations(told):
            answer = client.request(method, re.sub(r"\{\w+\}", "1", path), json=BODIES.get(method))
            assert (answer.status_code == 401) == bool(operation["security"]), (method, path)
            if not operation["security"]:
                open_to_all.add(path)
    about_contracts = {"/catalogue", "/catalogue/{name}", "/asyncapi.json"}
    assert open_to_all == {"/health/live", "/health/ready", "/openapi.json"} | about_contracts
