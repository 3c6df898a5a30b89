"""The rooms, in the order of the walk."""

from __future__ import annotations

from tollgate.gate.suite import rooms
from tollgate.gate.walk import rooms_of


def test_the_trail_hears_all_and_the_upstream_stands_nearest_the_provider() -> None:
    names = [room.name for room in rooms_of(rooms())]

    assert (names[0], names[-1]) == ("trail", "upstream")


def test_every_proxy_has_rooms_of_its_own() -> None:
    one, other = rooms(), rooms()

    assert not {id(room) for room in one} & {id(room) for room in other}
