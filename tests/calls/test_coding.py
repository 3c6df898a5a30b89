"""Content-encodings are undone piece by piece, within a bound."""

import gzip
import sys
import zlib
from collections.abc import Callable

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.calls.coding import CodingError, ContentDecoder, decode

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}
CASES = [*ENCODERS.items(), ("deflate", raw_deflate)]
TEXT = b"The quick brown fox. " * 5000
LIMIT = 1_000_000


@pytest.mark.parametrize(("name", "encode"), CASES)
@given(st.lists(st.integers(1, 40), max_size=20))
def test_any_chunking_gives_the_same_content(
    name: str, encode: Callable[[bytes], bytes], sizes: list[int]
) -> None:
    data, decoder, out = encode(TEXT), ContentDecoder(name, LIMIT), b""
    for size in sizes:
        out += decoder.feed(data[:size])
        data = data[size:]
    out += decoder.feed(data)
    decoder.close()

    assert out == TEXT


@pytest.mark.parametrize(("name", "encode"), CASES)
def test_one_byte_at_a_time(name: str, encode: Callable[[bytes], bytes]) -> None:
    decoder = ContentDecoder(name, LIMIT)

    assert b"".join(decoder.feed(bytes([b])) for b in encode(TEXT)) == TEXT


@pytest.mark.parametrize(("name", "encode"), CASES)
def test_a_bomb_is_stopped_early(name: str, encode: Callable[[bytes], bytes]) -> None:
    with pytest.raises(CodingError, match="larger than 1000000 bytes") as error:
        decode(encode(bytes(30_000_000)), name, LIMIT)

    assert error.value.code == "too_large"


@pytest.mark.parametrize(("name", "encode"), CASES)
def test_cut_data_is_noticed(name: str, encode: Callable[[bytes], bytes]) -> None:
    with pytest.raises(CodingError) as error:
        decode(encode(TEXT)[:-3], name, LIMIT)

    assert error.value.code == "broken_encoding"


@pytest.mark.parametrize("name", ENCODERS)
def test_garbage_is_noticed(name: str) -> None:
    with pytest.raises(CodingError) as error:
        decode(b"\x07garbage that is no such thing", name, LIMIT)

    assert error.value.code == "broken_encoding"


@pytest.mark.parametrize("name", ENCODERS)
def test_no_data_at_all_is_an_empty_body(name: str) -> None:
    assert decode(b"", name, LIMIT) == b""


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_several_members_are_one_body(name: str) -> None:
    assert decode(ENCODERS[name](TEXT) + ENCODERS[name](b"more"), name, LIMIT) == TEXT + b"more"


def test_encodings_can_be_stacked() -> None:
    assert decode(brotli.compress(gzip.compress(TEXT)), "gzip, identity, BR", LIMIT) == TEXT


@pytest.mark.parametrize("name", ["", "identity", "Identity"])
def test_identity_is_no_encoding(name: str) -> None:
    assert decode(TEXT, name, LIMIT) == TEXT


def test_unknown_encodings_are_named() -> None:
    with pytest.raises(CodingError, match="'compress' is not one of gzip, ") as error:
        ContentDecoder("compress", LIMIT)

    assert error.value.code == "unknown_encoding"


def test_a_stack_has_a_bound() -> None:
    with pytest.raises(CodingError, match="more than 4"):
        ContentDecoder("gzip,gzip,gzip,gzip,gzip", LIMIT)


@pytest.mark.parametrize(("name", "told"), [("lzw", "'lzw'"), ("jane@x.io", "of that name")])
def test_an_unknown_encoding_is_named_where_it_is_a_name(name: str, told: str) -> None:
    with pytest.raises(CodingError, match=f"content-encoding {told} is not one of"):
        decode(b"", name, 10)
