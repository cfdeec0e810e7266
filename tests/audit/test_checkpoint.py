"""Signed heads: what is signed is read back, and nothing else is ever accepted."""

import base64
import dataclasses

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import assume, given
from hypothesis import strategies as st

from flagservice.audit import checkpoint as module
from flagservice.audit.checkpoint import BadCheckpoint, BadKey, Checkpoint, Signer, key_hash
from flagservice.audit.tree import EMPTY_ROOT

NAME = "flags.example.nhs.uk/audit"
SIGNER = Signer.generate(NAME)
HEAD = Checkpoint(NAME, 20_852_163, bytes(range(32)))

# A log of the Tessera project's test data, and two heads of it that other software signed.
OTHERS_NAME = "example.com/log/testdata"
OTHERS_KEY = "AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
OTHERS_HEADS = [
    (
        0,
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        (
            "M9e0lhxJACzE1KoUdqKuPa+9p6R7dSW8BlEvrg/noo8FkGg6PbJoRNOcdjqjOq89wVvTA60eubCc4oufo5"
            "BvIVEgtQc="
        ),
    ),
    (
        8,
        "bC+VwvrJbalNVjfkdI8kUgs7mJoXrqiXCE7bgnD28pY=",
        (
            "M9e0lq1EK37dHtgv9O3UzPxisw5vwIPcJsX9ab0xt4mvVfbdUR1fbMjN6sBFYpBoBEmD4+cWhj/AVgI5M"
            "itCO5+mews="
        ),
    ),
]

# Verifier keys that are published with their key hash: of the Go checksum database, and of the
# tests of its note format.
PUBLISHED_KEYS = [
    "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop",
]

names = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters="+"), min_size=1, max_size=40
)
heads = st.builds(Checkpoint, names, st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))


def when_verified(note: str) -> Checkpoint:
    return module.verify(note, NAME, public_key=SIGNER.public_key_bytes)


def then_refused(note: str) -> None:
    with pytest.raises(BadCheckpoint):
        when_verified(note)


def signed_by_hand(text: str, signer: Signer = SIGNER) -> str:
    """What the log's own key would sign if the code above it went wrong."""
    signature = base64.b64encode(signer.key_hash + signer.signature_of(text)).decode()
    return f"{text}\n— {signer.name} {signature}\n"


def line_of(note: str) -> str:
    return note.rpartition("\n\n")[2]


@given(heads)
def test_what_is_signed_is_read_back(head: Checkpoint) -> None:
    signer = Signer.generate(head.origin)
    note = module.sign(head, signer)
    assert module.verify(note, head.origin, public_key=signer.public_key_bytes) == head


def test_a_note_looks_as_the_specification_draws_it() -> None:
    lines = module.sign(HEAD, SIGNER).split("\n")
    assert lines[:4] == [NAME, "20852163", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", ""]
    dash, name, signature = lines[4].split(" ")
    assert (dash, name, lines[5:]) == ("\u2014", NAME, [""])
    assert base64.b64decode(signature)[:4] == SIGNER.key_hash


@pytest.mark.parametrize("published", PUBLISHED_KEYS)
def test_a_key_hash_is_the_one_that_others_publish(published: str) -> None:
    name, expected, encoded = published.split("+", 2)
    kind, key = base64.b64decode(encoded)[:1], base64.b64decode(encoded)[1:]
    assert (kind, key_hash(name, key).hex()) == (b"\x01", expected)


@pytest.mark.parametrize(("size", "root", "signature"), OTHERS_HEADS)
def test_a_head_signed_by_other_software_is_read(size: int, root: str, signature: str) -> None:
    note = f"{OTHERS_NAME}\n{size}\n{root}\n\n— {OTHERS_NAME} {signature}\n"
    read = module.verify(note, OTHERS_NAME, public_key=base64.b64decode(OTHERS_KEY)[1:])
    assert read == Checkpoint(OTHERS_NAME, size, base64.b64decode(root))
    assert (read.root == EMPTY_ROOT) is (size == 0)


def test_every_flipped_bit_is_refused() -> None:
    note = module.sign(HEAD, SIGNER).encode()
    for bit in range(len(note) * 8):
        altered = bytearray(note)
        altered[bit // 8] ^= 1 << bit % 8
        # Where the bytes are no longer UTF-8, a careless reader still hands over something.
        then_refused(altered.decode(errors="surrogateescape"))
        then_refused(altered.decode(errors="replace"))


def test_every_shortened_note_is_refused() -> None:
    note = module.sign(HEAD, SIGNER)
    for length in range(len(note)):
        then_refused(note[:length])


@given(st.text())
def test_no_other_text_is_a_checkpoint(text: str) -> None:
    note = module.sign(HEAD, SIGNER)
    assume(text != note[0])
    then_refused(text)
    then_refused(text + note[1:])


def test_another_key_of_the_same_name_is_refused() -> None:
    note = module.sign(HEAD, Signer.generate(NAME))
    then_refused(note)


def test_another_name_for_the_same_key_is_refused() -> None:
    with pytest.raises(BadCheckpoint):
        module.verify(
            module.sign(HEAD, SIGNER), "other.example", public_key=SIGNER.public_key_bytes
        )


def test_a_key_that_signs_for_two_logs_cannot_pass_one_off_as_the_other() -> None:
    other = dataclasses.replace(HEAD, origin="other.example")
    with pytest.raises(BadCheckpoint):
        module.sign(other, SIGNER)
    then_refused(signed_by_hand(other.text))


def test_the_line_of_a_witness_is_passed_over() -> None:
    witness = line_of(signed_by_hand(HEAD.text, Signer.generate("witness.example")))
    successor = line_of(module.sign(HEAD, Signer.generate(NAME)))
    ours = module.sign(HEAD, SIGNER)
    assert when_verified(ours + witness + successor) == HEAD
    assert when_verified(HEAD.text + "\n" + successor + witness + line_of(ours)) == HEAD


def test_a_malformed_line_of_a_witness_is_refused() -> None:
    ours = module.sign(HEAD, SIGNER)
    for line in (
        "\n",
        "— witness.example\n",
        "— wit+ness.example AAAAAAA=\n",
        "- witness.example AAAAAAA=\n",
        "— witness.example AAAAAA==\n",  # a key hash, and no signature
        "— witness.example AAAAAAA\n",
        "— witness.example AAAAAAB=\n",
        "— witness.example AAAAAAA=",
        "— witness.example ÄAAAAAA=\n",
        "— witness.example AAAAAAA=\r\n",
        "— witness\u00a0example AAAAAAA=\n",
    ):
        then_refused(ours + line)
    assert when_verified(ours + "— witness.example AAAAAAA=\n") == HEAD


def test_two_lines_of_ours_are_refused_even_if_both_are_right() -> None:
    note = module.sign(HEAD, SIGNER)
    then_refused(note + line_of(note))


def test_what_the_key_signed_by_mistake_is_no_checkpoint() -> None:
    root = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    assert when_verified(signed_by_hand(f"{NAME}\n7\n{root}\n")).size == 7
    for text in (
        f"{NAME}\n07\n{root}\n",
        f"{NAME}\n+7\n{root}\n",
        f"{NAME}\n\u0667\n{root}\n",
        f"{NAME}\n7 \n{root}\n",
        f"{NAME}\n-7\n{root}\n",
        f"{NAME}\n{2**63}\n{root}\n",
        f"{NAME}\n{'9' * 5000}\n{root}\n",
        f"{NAME}\n7\n{root[:-1]}\n",
        f"{NAME}\n7\n{root[:-2]}9=\n",
        f"{NAME}\n7\nAAEC\n",
        f"{NAME}\n7\n{root}\nextension\n",
        f"{NAME}\n7\n\n{root}\n",
        f"\n{NAME}\n7\n{root}\n",
        f"{NAME}\n7\n",
    ):
        then_refused(signed_by_hand(text))


def test_a_note_longer_than_any_checkpoint_is_refused_unread() -> None:
    line = "— witness.example " + base64.b64encode(bytes(5000)).decode() + "\n"
    ours = module.sign(HEAD, SIGNER)
    assert when_verified(ours + line * 15) == HEAD
    then_refused(ours + line * 30)


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        ("", 0, bytes(32)),
        ("two words", 0, bytes(32)),
        ("a+b", 0, bytes(32)),
        (f"{NAME}\n9", 0, bytes(32)),
        (NAME, -1, bytes(32)),
        (NAME, 2**63, bytes(32)),
        (NAME, 0, bytes(31)),
    ],
)
def test_a_checkpoint_that_could_not_be_read_back_cannot_be_made(
    origin: str, size: int, root: bytes
) -> None:
    with pytest.raises(BadCheckpoint):
        Checkpoint(origin, size, root)


def test_a_signer_comes_back_from_its_pem() -> None:
    again = Signer.from_pem(NAME, SIGNER.to_pem())
    assert again.public_key_bytes == SIGNER.public_key_bytes
    assert module.sign(HEAD, again) == module.sign(HEAD, SIGNER)


def test_only_an_unencrypted_ed25519_key_signs() -> None:
    pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    other = ec.generate_private_key(ec.SECP256R1())
    locked = serialization.BestAvailableEncryption(b"passphrase")
    for wrong in (
        b"",
        b"not a key",
        SIGNER.to_pem()[:60],
        other.private_bytes(*pem, serialization.NoEncryption()),
        other.private_bytes(*pem, locked),
    ):
        with pytest.raises(BadKey):
            Signer.from_pem(NAME, wrong)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb", "a\u2003b"])
def test_a_name_that_would_not_survive_a_note_is_refused(name: str) -> None:
    with pytest.raises(BadKey):
        Signer.generate(name)
    with pytest.raises(BadKey):
        module.verify(module.sign(HEAD, SIGNER), name, public_key=SIGNER.public_key_bytes)


def test_a_public_key_of_another_length_is_refused() -> None:
    with pytest.raises(BadKey):
        module.verify(module.sign(HEAD, SIGNER), NAME, public_key=SIGNER.public_key_bytes[1:])


def test_a_printed_signer_shows_no_key() -> None:
    seed = serialization.load_pem_private_key(SIGNER.to_pem(), password=None)
    secret = seed.private_bytes_raw()
    shown = f"{SIGNER!r} {SIGNER} {vars(SIGNER)}"
    assert repr(SIGNER) == f"<Signer {NAME}+{SIGNER.key_hash.hex()}>"
    assert secret.hex() not in shown
    assert repr(secret) not in shown
