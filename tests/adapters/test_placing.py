"""Fields say themselves where in a payload they stand."""

from adapters.kit.mapping import FieldRule
from adapters.kit.placing import payload_of, place_at, places_of
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


def test_a_member_is_told_where_the_innermost_part_around_it_stands() -> None:
    item, measure = Place("a.xlsx", 3, "问题清单"), Place("a.xlsx", 7, "任务清单")
    places = {"/items/0": item, "/items/0/measures/1": measure}
    assert place_at("/data/items/0/measures/1/due", places) == measure
    assert place_at("/data/items/0/measures/0/due", places) == item
    assert place_at("/data/items/0", places) == item
    assert place_at("/data/items/01", places) is None
    assert place_at("/data/letter/docno", places) is None
    assert place_at("", places) is None


def test_the_items_of_a_list_stand_where_their_rows_do() -> None:
    rows = [Row(place=Place("a.csv", number), values={}, fields={}) for number in (4, 6)]
    assert places_of(rows, "/items") == {
        "/items/0": Place("a.csv", 4),
        "/items/1": Place("a.csv", 6),
    }
