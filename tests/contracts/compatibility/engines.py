"""Two engines that validate instances: jsonschema with exact decimals, and jsonschema-rs."""

import json
from decimal import Decimal
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator, TypeChecker
from jsonschema.validators import extend


def _whole(_: TypeChecker, value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, Decimal) and value % 1 == 0)


_Exact: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _whole),
)


class Engines:
    """Validators of one schema, formats asserted."""

    def __init__(self, schema: Any) -> None:
        self._exact = _Exact(
            json.loads(json.dumps(schema), parse_float=Decimal),
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )
        self._fast = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)

    def exact(self, instance: Any) -> bool:
        """What jsonschema says."""
        return bool(self._exact.is_valid(json.loads(json.dumps(instance), parse_float=Decimal)))

    def fast(self, instance: Any) -> bool:
        """What jsonschema-rs says."""
        return bool(self._fast.is_valid(instance))
