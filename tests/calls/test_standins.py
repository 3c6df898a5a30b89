"""What a token looks like is what those that are made look like."""

from tollgate.calls.standins import SHAPE
from tollgate.dlp.tokens import KINDS, Minter


def test_every_token_that_is_made_has_the_shape() -> None:
    minter = Minter(b"k" * 32)

    for entity in (*KINDS, "SOMETHING_ELSE"):
        assert SHAPE.match(minter.token(entity, "a value"))


def test_other_text_has_not() -> None:
    assert not SHAPE.search("QZX and QZXS12, qzxqzxqzx")
