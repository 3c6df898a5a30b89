"""What a call used."""

from tollgate.calls import Usage


def test_no_count_contains_another_so_the_total_is_their_sum() -> None:
    usage = Usage(input=10, cache_read=100, cache_write=20, output=5, reasoning=7, seconds=2.5, tier="flex")

    assert usage.total == 142


def test_records_hold_only_what_is_set() -> None:
    assert Usage(input=3, requests={"web_search": 1}).as_dict() == {"input": 3, "requests": {"web_search": 1}}
    assert Usage().as_dict() == {}
