"""Keys: an id belongs to one key, a signature to one message, and a key that binds to nothing is no key."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.keys import SigningKey, UnusableKey, b64, check_public, key_id, unb64, verify

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
L = 2**252 + 27742317777372353535851937790883648493


def _add(one: tuple[int, int], two: tuple[int, int]) -> tuple[int, int]:
    """Addition on edwards25519 (RFC 8032 §5.1.4, affine)."""
    (x1, y1), (x2, y2) = one, two
    k = D * x1 * x2 * y1 * y2 % P
    return (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P


def _times(count: int, point: tuple[int, int]) -> tuple[int, int]:
    result = (0, 1)
    while count:
        if count & 1:
            result = _add(result, point)
        point, count = _add(point, point), count >> 1
    return result


def _x(y: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return x if (x * x - square) % P == 0 else None


def small_order_encodings() -> set[bytes]:
    """All 32-byte texts that decode to a point of small order, worked out from the curve instead of copied from a list."""
    y = 2
    while True:
        if (x := _x(y)) is not None and len(torsion := {_times(k, _times(L, (x, y))) for k in range(8)}) == 8:
            break
        y += 1
    ys = {point[1] for point in torsion}
    return {(value | sign << 255).to_bytes(32, "little") for one in ys for value in (one, one + P) if value < 2**255 for sign in (0, 1)}


def test_a_key_under_which_one_signature_fits_many_messages_can_not_be_registered() -> None:
    """The library takes such keys and verifies the same 64 bytes for message after message; whoever registered one could deny all."""
    encodings = small_order_encodings()
    assert len(encodings) == 14
    signature = b"\x01" + bytes(63)
    fooled = 0
    for raw in encodings:
        fooled += sum(verify("Ed25519", raw, b"message %d" % number, signature) for number in range(32))
        with pytest.raises(UnusableKey, match="small order"):
            check_public("Ed25519", raw)
    assert fooled > 14, "the library no longer takes keys of small order; the refusal may go"


@given(st.binary(min_size=32, max_size=32))
@settings(max_examples=50, deadline=None)
def test_an_honest_key_is_never_taken_for_one(seed: bytes) -> None:
    check_public("Ed25519", ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw())


@pytest.mark.parametrize("alg", ["Ed25519", "ES256"])
def test_a_signature_is_of_one_key_one_message_one_algorithm(alg: str) -> None:
    key, other = SigningKey.generate(alg), SigningKey.generate(alg)
    signature = key.sign(b"message")
    assert len(signature) == 64
    assert verify(alg, key.raw_public, b"message", signature)
    assert not verify(alg, key.raw_public, b"Message", signature)
    assert not verify(alg, other.raw_public, b"message", signature)
    assert not verify(alg, key.raw_public, b"message", signature[:-1])
    for place in range(64):
        damaged = bytearray(signature)
        damaged[place] ^= 1
        assert not verify(alg, key.raw_public, b"message", bytes(damaged))


def test_an_id_is_bound_to_the_algorithm() -> None:
    raw = bytes(range(32))
    assert key_id("Ed25519", raw) != key_id("ES256", raw)
    assert len(key_id("Ed25519", raw)) == 32


@pytest.mark.parametrize("alg", ["Ed25519", "ES256"])
def test_a_key_file_is_private_whole_and_never_overwritten(alg: str, tmp_path: Path) -> None:
    key, path = SigningKey.generate(alg), tmp_path / "keys" / "mine.json"
    key.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SigningKey.load(path).raw_public == key.raw_public
    with pytest.raises(FileExistsError):
        SigningKey.generate(alg).save(path)
    path.write_text(path.read_text().replace(key.key_id, "0" * 32))
    with pytest.raises(UnusableKey, match="does not belong"):
        SigningKey.load(path)


def test_a_key_never_shows_itself() -> None:
    key = SigningKey.from_seed(bytes(32))
    assert repr(key) == f"SigningKey(Ed25519, {key.key_id})"


@given(st.binary(max_size=80))
def test_base64url_reads_back(data: bytes) -> None:
    assert data == unb64(b64(data))


@given(st.text("AQgw+/=-_ \n", max_size=8))
@settings(max_examples=300)
def test_bytes_have_one_text(text: str) -> None:
    try:
        data = unb64(text)
    except ValueError:
        return
    assert text == b64(data)
