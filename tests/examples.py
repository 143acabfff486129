"""The examples beside the contracts: valid payloads, and what spoils them.

An invalid example names a valid one as its `base`, what to `set` and to `remove` there by pointer,
and the whole list of faults to `expect`, each with its code and pointer.
"""

import json
from pathlib import Path
from typing import Any, Final

import contracts
from contracts.catalogue import load_catalogue
from contracts.contract import Contract

FAMILIES: Final = Path(contracts.__file__).parent
VALID: Final = sorted(FAMILIES.glob("*/examples/valid/*.json"))
INVALID: Final = sorted(FAMILIES.glob("*/examples/invalid/*.json"))


def contract_of(example: Path) -> Contract:
    """The version that the file's name says: `<type>-<n>` is of 1.0, `<type>-<version>-<n>` not."""
    type_, _, version = example.stem.rpartition("-")[0].partition("-")
    contract = load_catalogue().find(type_, version or "1.0")
    assert contract is not None, example.name
    return contract


def payload_in(example: Path) -> Any:
    """The payload of an example; of an invalid one, its base with what it sets and removes."""
    stated = json.loads(example.read_bytes())
    if example.parent.name == "valid":
        return stated
    assert stated.keys() <= {"base", "set", "remove", "expect"}
    payload = json.loads((example.parents[1] / "valid" / f"{stated['base']}.json").read_bytes())
    for pointer in stated.get("remove", ()):
        holder, name = _held(payload, pointer)
        del holder[name]
    for pointer, value in stated.get("set", {}).items():
        holder, name = _held(payload, pointer)
        holder[name] = value
    return payload


def _held(payload: Any, pointer: str) -> tuple[Any, Any]:
    """What holds the value at a pointer, and under which name or index."""
    *above, name = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    for step in above:
        payload = payload[int(step) if isinstance(payload, list) else step]
    return payload, int(name) if isinstance(payload, list) else name
