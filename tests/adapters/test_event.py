"""Payloads as bytes: the contract's order, nothing that is not said, nothing that is not known."""

from typing import Any

import pytest

from adapters.kit.event import payload_bytes
from contracts.catalogue import load_catalogue

CONTRACT = load_catalogue().find("petition.case_transferred", "1.0")


def test_members_stand_in_the_order_of_the_contract_at_every_depth() -> None:
    assert CONTRACT is not None
    written = payload_bytes(
        CONTRACT,
        {
            "accused": [{"unit": {"region": "510104", "name": "样例街道"}, "name": "样例"}],
            "people": 0,
            "joint": False,
            "form": {"label": "来信", "code": "1"},
            "petitionid": "XFJ1",
            "native": {"xfxs": None, "xfjbh": "XFJ1"},
            "due": None,
        },
    )
    assert written.decode() == (
        '{"petitionid":"XFJ1","native":{"xfjbh":"XFJ1"},"form":{"code":"1","label":"来信"},'
        '"people":0,"joint":false,'
        '"accused":[{"name":"样例","unit":{"name":"样例街道","region":"510104"}}]}'
    )


@pytest.mark.parametrize(
    "payload",
    [
        {"petition": "XFJ1"},
        {"native": {"number": "XFJ1"}},
        {"accused": [{"unit": {"称呼": "样例街道"}}]},
        {"accused": {"name": "样例"}},
        {"form": "1"},
    ],
)
def test_what_the_contract_does_not_declare_is_refused(payload: dict[str, Any]) -> None:
    assert CONTRACT is not None
    with pytest.raises(ValueError, match="not in the contract"):
        payload_bytes(CONTRACT, payload)
