"""Fields say themselves where in a payload they stand."""

from adapters.kit.mapping import FieldRule
from adapters.kit.placing import payload_of
from adapters.kit.port import Place
from adapters.kit.rows import Row


def row(**fields: tuple[str, ...]) -> Row:
    """A row whose every field says its own name."""
    rules = {
        name: FieldRule.model_validate(
            {"column": name, "title": name, "as": "line", "pointers": pointers}
        )
        for name, pointers in fields.items()
    }
    return Row(place=Place("a.csv", 2), values={name: name for name in fields}, fields=rules)


def test_a_value_stands_where_the_first_pointer_says() -> None:
    read = row(title=(), name=("/target/name", "/other"), region=("/target/region",))
    assert payload_of(read) == {"title": "title", "target": {"name": "name", "region": "region"}}


def test_items_of_a_list_are_made_as_they_are_named() -> None:
    read = row(second=("/handlers/1/name", "/handlers/-/name"), first=("/handlers/-/name",))
    assert payload_of(read) == {"handlers": [{"name": "first"}, {"name": "second"}]}


def test_a_pointer_may_name_its_type() -> None:
    assert payload_of(row(name=("clue.split:/into/-/title",))) == {"into": [{"title": "name"}]}


def test_what_belongs_elsewhere_is_left_out() -> None:
    assert payload_of(row(time=("/time",), title=()), besides=("time",)) == {"title": "title"}
