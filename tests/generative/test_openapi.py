"""Whatever is asked of the routes in `/openapi.json`, it is answered as they are described.

Schemathesis draws requests that fit the descriptions and requests that do not, for every kind of
caller. A refusal has one of the codes that are listed for its operation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.web.operation import EVERY_ROLE
from tests.running import PATIENCE, RunningHub, running_hub
from tests.sample import CITY, PETITION, petition, policy

Operation = APIOperation[Any, Any, Any, Any]
Request = Case[Any]

# Last the administrator, who may end any token, its own too.
CALLERS: Final = ("nobody", "agency", *EVERY_ROLE, "administrator")
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass(frozen=True)
class Described:
    """A hub by its document; `known`: what leads to something, by the start of an address."""

    tokens: Mapping[str, str]
    operations: tuple[Operation, ...]
    known: Mapping[str, Mapping[str, Any]]

    def requests(self, operation: Operation) -> st.SearchStrategy[Request]:
        """Requests that fit the description and such as do not, half of them to known things."""
        known = [k for address, k in self.known.items() if operation.path.startswith(address)]
        named = {
            "path_parameters": {
                name: value
                for name, value in known[0].get("path_parameters", {}).items()
                if f"{{{name}}}" in operation.path
            }
        }
        drawn = [
            operation.as_strategy(mode, **known_)
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
            for known_ in ({}, {**known[0], **named})
        ]
        return st.one_of(drawn)


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    """A hub with something in it, that lets nobody wait."""
    with running_hub(tmp_path_factory.mktemp("openapi"), settings={"max_wait": "0.02"}) as hub:
        tag = hub.apply(policy()).headers["etag"]
        receipt, _ = hub.agency(PETITION).accepted(petition(1), petition(2))
        hub.agency(CITY).subscribe("petitions", start="earliest")
        yield Described(
            tokens_of(hub),
            operations_of(hub),
            {
                "/v1/subscriptions": {"path_parameters": {"id": "petitions"}},
                "/v1/receipts": {"path_parameters": {"id": receipt["id"]}},
                "/v1/contracts": {"path_parameters": {"type": receipt["type"], "version": "1.0"}},
                "/v1/agencies": {"path_parameters": {"id": PETITION}},
                "/v1/explain": {"query": {"source": receipt["source"], "id": "XF-1"}},
                "/v1/reads": {"query": {"case": "petition:XF-1"}},
                "/v1/policy": {"headers": {"If-Match": tag}},
                "/": {},
            },
        )


def tokens_of(hub: RunningHub) -> dict[str, str]:
    """A token of every caller."""
    with hub.admin as admin:
        tokens: dict[str, str] = {
            role: admin.post("/v1/tokens", json={"role": role}).json()["token"]
            for role in EVERY_ROLE
        }
    administrator = (hub.directory / "admin.token").read_text().strip()
    return {**tokens, "agency": hub.token(CITY), "administrator": administrator}


def operations_of(hub: RunningHub) -> tuple[Operation, ...]:
    """What the hub tells of itself; what ends things comes last."""
    schema = schemathesis.openapi.from_url(f"{hub.url}/openapi.json")
    # Callers bring their own tokens.
    schema.config.generation.update(with_security_parameters=False)
    found = [operation for methods in schema.values() for operation in methods.values()]
    return tuple(sorted(found, key=lambda operation: operation.method == "delete"))


@pytest.mark.parametrize("who", CALLERS)
def test_every_answer_is_as_it_is_described(described: Described, who: str) -> None:
    assert settings.default is not None
    examples, statuses = settings.default.max_examples // 10, set[int]()
    with requests.Session() as session:
        session.trust_env = False
        if who != "nobody":
            session.headers["Authorization"] = f"Bearer {described.tokens[who]}"
        for operation in described.operations:
            named = {w for one in operation.definition.raw["security"] for w in one["token"]}
            roles = set(EVERY_ROLE) if who == "administrator" else {who}
            # Who is not admitted hears the same whatever is asked.
            few = bool(named) and not named & roles

            @given(case=described.requests(operation))
            @settings(
                max_examples=1 if few else examples,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def send(case: Request) -> None:
                answer = case.call(session=session, timeout=PATIENCE)
                statuses.add(answer.status_code)
                case.validate_response(answer, checks=CHECKS)

            send()
    assert {200, 401 if who == "nobody" else 403} <= statuses
