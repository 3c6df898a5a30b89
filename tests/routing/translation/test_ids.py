import pytest

from tollgate.routing.translation.ids import legal, renamed


@pytest.mark.parametrize(
    ("id", "prefix", "expected"),
    [
        ("toolu_01A", "call_", "call_01A"),
        ("chatcmpl-9x", "msg_", "msg_9x"),
        ("resp_a-b", "chatcmpl-", "chatcmpl-a-b"),
        ("plain", "toolu_", "toolu_plain"),
    ],
)
def test_an_id_gets_the_prefix_of_the_clients_dialect(id: str, prefix: str, expected: str) -> None:
    assert renamed(id, prefix) == expected


@pytest.mark.parametrize("id", ["", "call_", "with space", "x" * 90])
def test_what_fits_no_id_becomes_a_digest_always_the_same(id: str) -> None:
    assert renamed(id, "call_") == renamed(id, "call_")
    assert len(renamed(id, "call_")) == 29


def test_different_ids_stay_different() -> None:
    assert renamed("a b", "call_") != renamed("a  b", "call_")


def test_a_legal_id_goes_back_unchanged() -> None:
    assert legal("toolu_01A") == "toolu_01A"
    assert legal("fn:1") != "fn:1"
    assert legal("x" * 65) == legal("x" * 65)
    assert len(legal("x" * 65)) <= 64
