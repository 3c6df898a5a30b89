from tollgate.calls import Usage
from tollgate.routing.translation.codec import Asked, totals


def test_all_input_and_all_output() -> None:
    used = Usage(
        input=1,
        cache_read=2,
        cache_write=4,
        cache_write_long=8,
        input_audio=16,
        input_image=32,
        output=1,
        reasoning=2,
        output_audio=4,
        output_image=8,
    )

    assert totals(used) == (63, 15)
    assert totals(None) == (0, 0)


def test_a_request_that_says_nothing_of_itself() -> None:
    assert (Asked({}).params, dict(Asked({}).headers), Asked({}).created) == ({}, {}, 0)
