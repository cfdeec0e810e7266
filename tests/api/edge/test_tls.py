"""TLS and mutual TLS, as a server process really speaks them: an outer door, and no identity."""

import datetime as dt
import ipaddress
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from flagservice.app.build import build
from flagservice.app.listen import tls_of
from flagservice.clients.kinds import ClientKind
from flagservice.clients.registry import add_client
from flagservice.domain.errors import Invalid
from flagservice.settings import Settings
from tests.api.steps import Client, an_ec_key
from tests.databases.postgresql import wait_for
from tests.patience import enough
from tests.world import COUNCIL, HOME, POLICE

NOW = dt.datetime.now(dt.UTC)


class Authority:
    """Signs certificates, of servers and of clients."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._signed(name, self.key.public_key(), authority=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issues(self, name: str) -> tuple[Path, Path]:
        """A certificate and its key, as files."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, private = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        signed = self._signed(name, key.public_key(), authority=False)
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate, private

    def _signed(
        self, name: str, key: ec.EllipticCurvePublicKey, *, authority: bool
    ) -> x509.Certificate:
        subject = _name(name)
        issuer = subject if authority else self.certificate.subject
        loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
        )
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - dt.timedelta(hours=1))
            .not_valid_after(NOW + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True,
                    key_cert_sign=authority,
                    crl_sign=authority,
                    encipher_only=False,
                    decipher_only=False,
                    **usage,
                ),
                critical=True,
            )
        )
        return made.sign(self.key, hashes.SHA256())


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass
class Served:
    """A service in a process of its own behind mutual TLS, and two clients with a certificate."""

    url: str
    authority: Authority
    stranger: Authority
    council: Client
    police: Client

    def with_(self, certificate: tuple[Path, Path] | None, **more: object) -> httpx.Client:
        """A client that trusts the server and shows this certificate."""
        context = ssl.create_default_context(cafile=str(self.authority.file))
        for name, value in more.items():
            setattr(context, name, value)
        if certificate is not None:
            context.load_cert_chain(*map(str, certificate))
        return httpx.Client(base_url=self.url, verify=context, trust_env=False, timeout=enough())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("tls")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    authority, stranger = Authority(folder, "authority"), Authority(folder, "stranger")
    url = f"https://127.0.0.1:{port}"
    installation = build(Settings(data=folder / "var"))
    clients = []
    for ods, kind in ((COUNCIL, "childrens-services"), (POLICE, "police")):
        added = installation.perform(
            partial(
                add_client,
                ods=ods,
                kind=ClientKind(kind),
                desks=installation.policies.desks,
                public_key=an_ec_key().as_pem(private=False),
            )
        )
        clients.append(Client(None, added, an_ec_key(), ods))
    installation.database.close()
    certificate, key = authority.issues("server")
    options = ["--certificate", certificate, "--key", key, "--client-ca", authority.file]
    with serving(folder / "var", port, *map(str, options)):
        yield Served(url, authority, stranger, *clients)


@contextmanager
def serving(data: Path, port: int, *options: str) -> Iterator[None]:
    command = [sys.executable, "-m", "flagservice", "serve", "--no-deliver", "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if "FLAGSERVICE" not in name}
    process = subprocess.Popen(
        [*command, *options], cwd=HOME, env={**environment, "FLAGSERVICE_DATA": str(data)}
    )
    try:
        wait_for(("127.0.0.1", port))
        yield
    finally:
        process.terminate()
        process.wait(timeout=enough())


def a_token(served: Served, client: Client, through: httpx.Client) -> str:
    assertion = client.assertion(aud=f"{served.url}/oauth2/token")
    answer = through.post("/oauth2/token", data=client.form(assertion))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_nobody_without_a_certificate_gets_through_the_handshake(
    served: Served, version: ssl.TLSVersion
) -> None:
    """In TLS 1.3 a client learns of it one step later: with what it first reads."""
    with (
        served.with_(None, minimum_version=version, maximum_version=version) as nobody,
        pytest.raises(httpx.TransportError),
    ):
        nobody.get("/_ping")


def test_a_certificate_of_another_authority_does_not_get_through_either(served: Served) -> None:
    with (
        served.with_(served.stranger.issues("other")) as other,
        pytest.raises(httpx.TransportError),
    ):
        other.get("/_ping")


def test_a_certificate_without_a_token_opens_nothing(served: Served) -> None:
    with served.with_(served.authority.issues("council")) as council:
        assert council.get("/_ping").status_code == 200
        assert council.get("/holds").status_code == 401


def test_identity_stays_with_the_key_whatever_the_certificate_says(served: Served) -> None:
    """The council's certificate and the police's token: it is the police who call."""
    with served.with_(served.authority.issues("council")) as through:
        headers = {"Authorization": f"Bearer {a_token(served, served.police, through)}"}
        assert through.get("/holds", headers=headers).status_code == 200
        plan = through.post("/plans", json={}, headers=headers)
        assert plan.status_code == 403
        notification = through.post("/notifications", json={}, headers=headers)
        assert notification.status_code == 422


def test_nothing_older_than_tls_1_2_is_spoken(served: Served) -> None:
    with (
        pytest.warns(DeprecationWarning, match="TLSv1_1"),
        served.with_(
            served.authority.issues("old"),
            minimum_version=ssl.TLSVersion.TLSv1_1,
            maximum_version=ssl.TLSVersion.TLSv1_1,
        ) as old,
        pytest.raises(httpx.ConnectError),
    ):
        old.get("/_ping")


def test_tls_that_is_half_set_does_not_start(tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path, "authority").issues("server")
    for name, said in (
        ("tls_key", {"tls_certificate": certificate}),
        ("tls_certificate", {"tls_client_ca": certificate}),
        (
            "tls_client_ca",
            {"tls_certificate": certificate, "tls_key": key, "tls_client_ca": tmp_path / "none"},
        ),
    ):
        with pytest.raises(Invalid, match=name):
            tls_of(Settings(**said))
    assert tls_of(Settings()) is None
    both = tls_of(Settings(tls_certificate=certificate, tls_key=key))
    assert both is not None
    assert both.verify_mode is ssl.CERT_NONE
