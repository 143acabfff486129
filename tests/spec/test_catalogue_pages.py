"""The catalogue for people, as a hub serves it: to everybody, the bytes of the generator."""

import asyncio
import subprocess
import sys
from threading import Event

import pytest

from contracts.catalogue import load_catalogue
from contracts.pages.frame import ASYNCAPI, INDEX, SCRIPT, START, STYLE, agency_page, family_page
from contracts.pages.site import site
from hub.web.catalogue import Shelf
from tests.running import RunningHub

FILES = (START, STYLE, SCRIPT, INDEX, ASYNCAPI, family_page("clue"), agency_page("audit"))
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_served_to_whoever_asks_as_the_generator_makes_it(
    hub: RunningHub, name: str
) -> None:
    with hub.client(None) as client:
        answer = client.get(f"/catalogue/{name}")
        kept = client.get(f"/catalogue/{name}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (answer.status_code, answer.content) == (200, site(load_catalogue())[name]())
    assert (kept.status_code, kept.content) == (304, b"")
    told = {n: answer.headers[n] for n in ("Content-Security-Policy", "X-Content-Type-Options")}
    assert told == {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}


def test_the_entrance_leads_to_the_start_page(hub: RunningHub) -> None:
    with hub.client(None) as client:
        entrance = client.get("/catalogue")
        start = client.get("/catalogue/")
    assert (entrance.status_code, entrance.headers["Location"]) == (307, "catalogue/")
    assert start.content == site(load_catalogue())[START]()
    assert start.headers["Content-Type"] == "text/html; charset=utf-8"


def test_the_document_for_programs_has_an_address_of_its_own(hub: RunningHub) -> None:
    with hub.client(None) as client:
        answer = client.get("/asyncapi.json")
    assert answer.content == site(load_catalogue())[ASYNCAPI]()
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "name", ["nothing.html", "../admin.token", "%2e%2e/admin.token", "index.html/", "/index.html"]
)
def test_what_is_no_file_of_the_catalogue_is_not_found(hub: RunningHub, name: str) -> None:
    with hub.client(None) as client:
        answer = client.get(f"/catalogue/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_file_is_made_once_however_many_ask_for_it_first_or_go_away() -> None:
    made, go_on = list[str](), Event()

    def make() -> bytes:
        made.append(ASYNCAPI)
        go_on.wait()
        return b"whole"

    shelf = Shelf({ASYNCAPI: make})
    asked = [asyncio.create_task(shelf.file(ASYNCAPI)) for _ in range(100)]
    while not made:
        await asyncio.wait(asked, timeout=0)
    for gone in asked[:50]:
        gone.cancel()
    await asyncio.wait(asked[:50])
    asked += [asyncio.create_task(shelf.file(ASYNCAPI)) for _ in range(100)]
    go_on.set()
    files = await asyncio.gather(*asked[50:])
    assert made == [ASYNCAPI]
    assert {body for body, _ in files} == {b"whole"}
    assert await shelf.file(ASYNCAPI) == files[0]
    assert made == [ASYNCAPI]


def test_no_model_is_built_to_tell_programs_of_the_contracts() -> None:
    """What was published is told: that is what makes the document cheap enough for everybody."""
    script = (
        "from contracts.asyncapi.document import document;"
        " from contracts.catalogue import load_catalogue;"
        " document(load_catalogue());"
        " print(sum('_adapter' in vars(contract) for contract in load_catalogue()))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert told.stdout == b"0\n"
