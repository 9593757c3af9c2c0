"""Notes and checkpoints: strict reading, unknown keys ignored, a known key that fails is fatal."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.audit.domain.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, sign_checkpoint
from services.audit.domain.note import (
    COSIGNATURE,
    ED25519,
    NoteError,
    SignatureLine,
    VerifierKey,
    cosignature_message,
    open_note,
    parse_note,
)

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
KEY = VerifierKey("example.org/log", ED25519, PRIVATE.public_key().public_bytes_raw())
WITNESS = VerifierKey("example.org/witness", COSIGNATURE, OTHER.public_key().public_bytes_raw())
POINT = Checkpoint("example.org/log", 20852163, bytes(range(32)))
NOTE = sign_checkpoint(POINT, KEY, PRIVATE.sign)


def cosigned(seconds: int) -> bytes:
    rest = seconds.to_bytes(8, "big") + OTHER.sign(cosignature_message(POINT.text, seconds))
    return NOTE + SignatureLine(WITNESS.name, WITNESS.key_id, rest).text.encode()


def test_what_is_signed_is_what_is_read() -> None:
    assert open_checkpoint(NOTE, KEY)[0] == POINT
    assert parse_checkpoint(POINT.text) == POINT
    assert VerifierKey.parse(KEY.text) == KEY


def test_every_flipped_byte_of_a_checkpoint_is_refused() -> None:
    for at in range(len(NOTE)):
        for bit in range(8):
            with pytest.raises(NoteError):
                open_checkpoint(NOTE[:at] + bytes([NOTE[at] ^ 1 << bit]) + NOTE[at + 1 :], KEY)


def test_every_cut_of_a_checkpoint_is_refused() -> None:
    for at in range(len(NOTE)):
        with pytest.raises(NoteError):
            open_checkpoint(NOTE[:at], KEY)


def test_signatures_of_unknown_keys_are_ignored() -> None:
    strangers = b"".join(SignatureLine("stranger", bytes([n, 0, 0, 0]), bytes(64)).text.encode() for n in range(16))
    head, _, line = NOTE.rpartition("\n\u2014".encode())
    assert open_checkpoint(head + b"\n" + strangers + b"\xe2\x80\x94" + line, KEY)[0] == POINT


def test_a_known_key_that_fails_makes_the_note_bad() -> None:
    bad = SignatureLine(WITNESS.name, WITNESS.key_id, bytes(72)).text.encode()
    assert open_checkpoint(NOTE + bad, KEY)[0] == POINT
    with pytest.raises(NoteError, match="does not hold"):
        open_checkpoint(NOTE + bad, KEY, [WITNESS])


def test_cosignatures_carry_their_time() -> None:
    _, signers = open_checkpoint(cosigned(1_780_000_000), KEY, [WITNESS])
    assert [(one.key, one.seconds) for one in signers] == [(KEY, None), (WITNESS, 1_780_000_000)]


def test_a_witness_alone_is_not_the_log() -> None:
    rest = (5).to_bytes(8, "big") + OTHER.sign(cosignature_message(POINT.text, 5))
    note = (POINT.text + "\n").encode() + SignatureLine(WITNESS.name, WITNESS.key_id, rest).text.encode()
    assert open_note(note, [KEY, WITNESS])[1][0].key == WITNESS
    with pytest.raises(NoteError, match="did not sign"):
        open_checkpoint(note, KEY, [WITNESS])


def test_another_logs_checkpoint_is_refused_though_signed() -> None:
    with pytest.raises(NoteError, match="another log"):
        open_checkpoint(sign_checkpoint(Checkpoint("example.org/other", 1, bytes(32)), KEY, PRIVATE.sign), KEY)


@pytest.mark.parametrize(
    "text",
    [
        "o\n01\n" + "A" * 43 + "=\n",
        "o\n-1\n" + "A" * 43 + "=\n",
        "o\n1\n" + "A" * 43 + "=\nextension\n",
        "o\n1\nAAAA\n",
        "o\n1\n" + "A" * 42 + "B=\n",
        "\n1\n" + "A" * 43 + "=\n",
        "o\n1\n" + "A" * 43 + "=",
        "o\n\u0661\n" + "A" * 43 + "=\n",
    ],
)
def test_texts_that_are_no_checkpoint(text: str) -> None:
    with pytest.raises(NoteError):
        parse_checkpoint(text)


@pytest.mark.parametrize("data", [b"", b"text\n\n", b"text\n\nno dash\n", b"a\x01b\n\n\xe2\x80\x94 n AAAAAAAA\n", b"\xff\n\n"])
def test_bytes_that_are_no_note(data: bytes) -> None:
    with pytest.raises(NoteError):
        parse_note(data)


def test_too_many_signatures_are_refused() -> None:
    line = SignatureLine("stranger", bytes(4), bytes(64)).text.encode()
    assert len(parse_note(b"t\n\n" + line * 100).signatures) == 100
    with pytest.raises(NoteError):
        parse_note(b"t\n\n" + line * 101)
