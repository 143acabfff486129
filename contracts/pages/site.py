"""Every file of the catalogue for people, by its name; made when it is asked for."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib.resources import files

import msgspec

from contracts.agency import KINDS
from contracts.asyncapi.document import document
from contracts.catalogue import Catalogue
from contracts.codelists import list_names
from contracts.pages import frame
from contracts.pages.agency import agencies, agency
from contracts.pages.family import family
from contracts.pages.flow import flow, flows
from contracts.pages.headings import families
from contracts.pages.headings import flows as all_flows
from contracts.pages.index import index
from contracts.pages.lists import lists, one_list, users_of_lists
from contracts.pages.objects import objects
from contracts.pages.start import start

Made = Callable[[], bytes]


def site(catalogue: Catalogue) -> Mapping[str, Made]:
    """What makes each file: the same bytes each time. All stand in one folder."""
    there = {contract.family for contract in catalogue}
    served = {id_ for contract in catalogue for id_ in contract.flows}
    users = cache(partial(users_of_lists, catalogue))
    made: dict[str, Made] = {
        frame.START: partial(start, catalogue),
        frame.AGENCIES: partial(agencies, catalogue),
        frame.FLOWS: partial(flows, catalogue),
        frame.LISTS: lists,
        frame.OBJECTS: partial(objects, catalogue),
        frame.INDEX: partial(index, catalogue),
        frame.ASYNCAPI: lambda: msgspec.json.encode(document(catalogue)),
    }
    for name in (frame.STYLE, frame.SCRIPT):
        made[name] = partial(_kept, name)
    for name in families():
        if name in there:
            made[frame.family_page(name)] = partial(family, catalogue, name)
    for kind in KINDS:
        made[frame.agency_page(kind)] = partial(agency, catalogue, kind)
    for id_ in all_flows():
        if id_ in served:
            made[frame.flow_page(id_)] = partial(flow, catalogue, id_)
    for name in list_names():
        made[frame.list_page(name)] = partial(lambda listed: one_list(users(), listed), name)
    return made


def media_type(name: str) -> str:
    """What a file of the catalogue is, by its ending."""
    return {
        "html": "text/html; charset=utf-8",
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "json": "application/json",
    }[name.rpartition(".")[2]]


def _kept(name: str) -> bytes:
    return (files("contracts.pages") / name).read_bytes()
