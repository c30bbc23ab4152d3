"""Records behave as frozen dataclasses do, by their own word and by that of `dataclasses`."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from functools import cached_property
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.record import Record, asdict, field, fields, replace


class Zone(Record):
    """A zone."""

    unit: ClassVar[str] = "page"
    name: str
    managed: int = 0
    marks: tuple[int, ...] = ()

    @property
    def low(self):
        return self.marks[1]

    @cached_property
    def shouted(self):
        return self.name.upper()


class OtherZone(Record):
    name: str
    managed: int = 0
    marks: tuple[int, ...] = ()


class Movable(Zone):
    online: bool = True


class Host(Record):
    zones: tuple[Zone, ...] = ()
    facts: dict[str, int] = field(default_factory=dict)


class Setting(Record):
    name: str
    path: str = ""

    def __post_init__(self):
        if not self.path:
            object.__setattr__(self, "path", f"proc/sys/{self.name}")


@dataclasses.dataclass(frozen=True)
class Standard:
    name: str
    managed: int = 0
    marks: tuple[int, ...] = ()


def test_fields_are_given_by_place_or_by_name_and_else_have_their_default():
    zone = Zone("DMA", marks=(1, 2, 3))
    assert (zone.name, zone.managed, zone.marks, zone.low, zone.unit) == ("DMA", 0, (1, 2, 3), 2, "page")
    assert fields(Zone) == ("name", "managed", "marks")


def test_a_record_of_a_record_has_the_fields_of_both():
    assert fields(Movable) == ("name", "managed", "marks", "online")
    assert Movable("Movable", 7).online is True
    assert Movable("Movable", 7).managed == 7


@pytest.mark.parametrize(
    ("values", "named", "said"),
    [
        ((), {}, "name"),
        ((), {"managed": 1}, "name"),
        (("DMA", 1, (), 4), {}, "3 fields, not 4"),
        (("DMA",), {"name": "Normal"}, "name"),
        (("DMA",), {"size": 1}, "size"),
        ((), {"nam": "DMA"}, "nam"),
    ],
)
def test_a_value_too_few_too_many_or_for_no_field_is_refused(values, named, said):
    with pytest.raises(TypeError, match=rf"Zone .*{said}"):
        Zone(*values, **named)
    with pytest.raises(TypeError):
        Standard(*values, **named)


def test_nothing_can_be_assigned_or_deleted():
    zone = Zone("DMA")
    with pytest.raises(dataclasses.FrozenInstanceError, match="managed"):
        zone.managed = 1
    with pytest.raises(AttributeError, match="new"):
        zone.new = 1
    with pytest.raises(AttributeError, match="name"):
        del zone.name
    assert zone == Zone("DMA")


def test_a_default_that_can_change_is_made_for_each_record():
    first, second = Host(), Host()
    first.facts["cpus"] = 4
    assert second.facts == {}


def test_a_default_that_can_change_is_refused_without_a_factory():
    with pytest.raises(TypeError, match="facts"):
        type("Wrong", (Record,), {"__annotations__": {"facts": "list[str]"}, "facts": []})


def test_a_field_can_be_derived_from_others():
    assert Setting("vm/swappiness").path == "proc/sys/vm/swappiness"
    assert Setting("vm/swappiness", "elsewhere").path == "elsewhere"


def test_records_are_equal_when_class_and_values_are():
    assert Zone("DMA") == Zone("DMA", 0)
    assert Zone("DMA") != Zone("DMA", 1)
    assert Zone("DMA") != OtherZone("DMA")
    assert Zone("DMA") != Movable("DMA")
    assert Zone("DMA") != ("DMA", 0, ())
    assert len({Zone("DMA"), Zone("DMA"), Zone("Normal")}) == 2


def test_what_was_computed_once_changes_neither_equality_nor_copies():
    zone = Zone("dma")
    assert zone.shouted == "DMA"
    assert zone == Zone("dma")
    assert hash(zone) == hash(Zone("dma"))
    assert replace(zone, name="normal").shouted == "NORMAL"


def test_a_record_with_a_dictionary_has_no_hash():
    with pytest.raises(TypeError):
        hash(Host())


def test_a_record_shows_its_values():
    assert repr(Zone("DMA", 3)) == "Zone(name='DMA', managed=3, marks=())"


def test_a_record_can_be_copied_and_pickled():
    zone = Zone("DMA", 3)
    assert copy.deepcopy(zone) == zone
    assert pickle.loads(pickle.dumps(zone)) == zone


def test_replace_changes_a_copy_and_refuses_what_is_no_field():
    zone = Zone("DMA", 3)
    assert replace(zone, managed=4) == Zone("DMA", 4)
    assert zone.managed == 3
    with pytest.raises(TypeError, match="manged"):
        replace(zone, manged=4)


def test_asdict_reaches_records_within_tuples_lists_and_dictionaries():
    host = Host((Zone("DMA"),), {"cpus": 4})
    assert asdict(host) == {"zones": ({"name": "DMA", "managed": 0, "marks": ()},), "facts": {"cpus": 4}}
    nested = Host([Zone("DMA")], {"first": Zone("Normal", 1)})
    assert asdict(nested)["zones"][0]["name"] == "DMA"
    assert asdict(nested)["facts"]["first"]["managed"] == 1


def test_the_functions_of_dataclasses_take_records():
    zone = Zone("DMA", 3)
    assert dataclasses.is_dataclass(zone)
    assert [f.name for f in dataclasses.fields(zone)] == ["name", "managed", "marks"]
    assert dataclasses.replace(zone, managed=4) == Zone("DMA", 4)
    assert dataclasses.asdict(zone) == asdict(zone)
    assert [f.name for f in dataclasses.fields(Movable)] == list(fields(Movable))


@given(st.text(), st.integers(), st.lists(st.integers()).map(tuple), st.text(), st.integers())
def test_records_compare_and_hash_as_frozen_dataclasses_do(name, managed, marks, other, more):
    ours, theirs = Zone(name, managed, marks), Standard(name, managed, marks)
    assert (ours == Zone(other, more)) == (theirs == Standard(other, more))
    assert hash(ours) == hash(theirs)
    assert repr(ours).partition("(")[2] == repr(theirs).partition("(")[2]
    assert asdict(ours) == dataclasses.asdict(theirs)
