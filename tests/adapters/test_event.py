"""Payloads as bytes: the contract's order, nothing that is not said, nothing that is not known."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.event import payload_bytes
from contracts.catalogue import load_catalogue

CONTRACT = load_catalogue().find("petition.case_transferred", "1.0")
# Eight threads begin at once with each contract, and take turns as often as can be.
TOGETHER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from adapters.kit.event import payload_bytes
from contracts.catalogue import load_catalogue

def filled(fields):
    return {each.name: held(each) for each in fields}

def held(member):
    part = filled(member.parts) if member.parts else "样例"
    return [part, part] if member.many else part

def written(contract):
    together.wait()
    return payload_bytes(contract, filled(contract.fields))

sys.setswitchinterval(1e-6)
together = Barrier(8)
with ThreadPoolExecutor(8) as threads:
    for contract in load_catalogue():
        first, *others = threads.map(written, [contract] * 8)
        print(others == [first] * 7)
"""


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


def test_threads_that_begin_a_contract_together_all_write_it() -> None:
    ran = subprocess.run(  # What goes wrong here ends the process.
        [sys.executable, "-c", TOGETHER],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    contracts = len([*load_catalogue()])
    assert (ran.returncode, ran.stdout) == (0, "True\n" * contracts)
