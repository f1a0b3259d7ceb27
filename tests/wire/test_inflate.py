"""Inflating in pieces: nothing is larger than was asked for, and a broken stream is told."""

import gzip
import itertools
import random
import tracemalloc
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from venice_async.errors import DecodeError
from venice_async.wire.inflate import make_inflater

PACK = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}
LIMIT = 1000


def inflated(inflater, chunks, limit=LIMIT):
    """All pieces of a stream, as a reader takes them."""
    pieces = []
    for chunk in chunks:
        piece = inflater.inflate(chunk, limit)
        while piece:
            pieces.append(piece)
            piece = inflater.inflate(b"", limit)
    return pieces


@pytest.mark.parametrize("encoding", PACK)
@given(st.binary(max_size=5000), st.lists(st.integers(0, 5000), max_size=8), st.integers(1, 40))
def test_any_stream_in_any_chunks_is_what_it_was_made_of(encoding, data, places, times):
    packed = PACK[encoding](data * times)
    cuts = [0, *sorted(min(place, len(packed)) for place in places), len(packed)]
    inflater = make_inflater(encoding)
    chunks = [packed[start:stop] for start, stop in itertools.pairwise(cuts) if start < stop]
    assert b"".join(inflated(inflater, chunks)) == data * times
    assert inflater.ended


@pytest.mark.parametrize(("encoding", "most"), [("gzip", LIMIT), ("deflate", LIMIT), ("br", 64 * 1024)])
def test_no_piece_is_larger_than_was_asked_for(encoding, most):
    """A few bytes that stand for millions come out bit by bit; Brotli rounds up to its own block."""
    pieces = inflated(make_inflater(encoding), [PACK[encoding](bytes(3_000_000))])
    assert sum(map(len, pieces)) == 3_000_000
    assert max(map(len, pieces)) <= most


@pytest.mark.parametrize("encoding", PACK)
def test_a_stream_that_is_cut_short_has_not_ended(encoding):
    packed = PACK[encoding](random.Random(1).randbytes(5000))
    inflater = make_inflater(encoding)
    inflated(inflater, [packed[:-10]])
    assert not inflater.ended


@pytest.mark.parametrize("encoding", PACK)
def test_what_follows_the_end_of_a_stream_is_let_be(encoding):
    inflater = make_inflater(encoding)
    assert b"".join(inflated(inflater, [PACK[encoding](b"all"), b"more"])) == b"all"
    assert inflater.ended


@pytest.mark.parametrize(("encoding", "data"), [("gzip", b"\x1f\x8bnonsense" * 9), ("br", b"\xff" * 99)])
def test_a_stream_that_is_none_is_a_decode_error(encoding, data):
    with pytest.raises(DecodeError, match="no valid"):
        inflated(make_inflater(encoding), [data])


@pytest.mark.parametrize("data", [b'{"images": []}', b"\x89PNG\r\n\x1a\n", b"RIFF"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity", ""])
def test_what_was_not_compressed_after_all_comes_as_it_is(encoding, data):
    """An answer that was paid for is not lost to a header that is wrong."""
    inflater = make_inflater(encoding)
    assert b"".join(inflater.inflate(data[i : i + 1], LIMIT) for i in range(len(data))) == data
    assert inflater.ended


def test_an_encoding_that_nobody_asked_for_is_refused():
    with pytest.raises(DecodeError, match="'zstd', which was not asked for"):
        make_inflater("zstd")


def test_what_follows_the_end_of_a_brotli_stream_is_not_held():
    inflater = make_inflater("br")
    inflater.inflate(brotli.compress(b"text"), 100)
    assert inflater.ended
    tracemalloc.start()
    try:
        for _ in range(8):
            inflater.inflate(bytes(1 << 20), 100)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1 << 20
