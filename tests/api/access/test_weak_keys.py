"""A client's key is as strong as 128 bits, or it is not registered."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey, RSAKey

from flagservice.clients.registry import public_jwk
from flagservice.domain.errors import Invalid


def public(key: RSAKey | ECKey) -> bytes:
    return key.as_pem(private=False)


def an_ed25519_key() -> bytes:
    key = Ed25519PrivateKey.generate().public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


WEAK = {
    "RSA of 2048 bits": lambda: public(RSAKey.generate_key(2048)),
    "P-256": lambda: public(ECKey.generate_key("P-256")),
    "a curve of another kind": an_ed25519_key,
    "a secret": lambda: b"quillfeather",
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("what", WEAK)
def test_a_key_that_is_too_weak_or_of_another_sort_is_refused(what: str) -> None:
    with pytest.raises(Invalid, match="public key") as refused:
        public_jwk(WEAK[what]())
    assert "quillfeather" not in str(refused.value)


def test_rsa_of_3072_bits_and_p_384_are_taken_without_their_private_half() -> None:
    for key in (RSAKey.generate_key(3072), ECKey.generate_key("P-384")):
        jwk = public_jwk(key.as_pem(private=True))
        assert jwk["kid"] == key.thumbprint()
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & jwk.keys()
