"""A broker with a listener for mutual TLS: certificates of a made-up authority, and the settings that go with them."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.local import kafka
from deploy.local.ports import HOST, Ports
from deploy.local.stack import Stack
from tests.stack_fixtures import stack_home

_TLS_STEP = 14


@dataclass(frozen=True)
class Authority:
    """Signs certificates that are valid for a day."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @staticmethod
    def new(name: str) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, subject, key.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        return Authority(key, builder.sign(key, hashes.SHA256()))

    def issue(self, folder: Path, name: str, *, trusting: Authority) -> Path:
        """``ca.crt`` (of ``trusting``), ``user.crt`` and ``user.key`` in ``folder``, the pair also as ``both.pem``."""
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            _builder(subject, self.certificate.subject, key.public_key())
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        plain, pem = serialization.NoEncryption(), serialization.Encoding.PEM
        secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
        (folder / "ca.crt").write_bytes(trusting.certificate.public_bytes(pem))
        (folder / "user.crt").write_bytes(certificate.public_bytes(pem))
        (folder / "user.key").write_bytes(secret)
        (folder / "both.pem").write_bytes(secret + certificate.public_bytes(pem))
        return folder


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )


@dataclass(frozen=True)
class TlsBroker:
    """``bootstrap``: the listener with TLS. ``user``: certificates it trusts; ``stranger``: of an authority it doesn't know."""

    stack: Stack
    bootstrap: str
    user: Path
    stranger: Path


@contextmanager
def tls_broker(patch: pytest.MonkeyPatch) -> Iterator[TlsBroker]:
    """A stack whose broker takes TLS with client certificates besides its plain listener."""
    plain = kafka.settings

    def with_tls(folder: Path, ports: Ports) -> dict[str, str]:
        given = plain(folder, ports)
        listener = f"SSL://{HOST}:{ports.base + _TLS_STEP}"
        stores = {"ssl.keystore": certificates / "broker" / "both.pem", "ssl.truststore": certificates / "broker" / "ca.crt"}
        return given | {
            "listeners": f"{given['listeners']},{listener}",
            "advertised.listeners": f"{given['advertised.listeners']},{listener}",
            "listener.security.protocol.map": f"{given['listener.security.protocol.map']},SSL:SSL",
            "ssl.client.auth": "required",
            **{f"{name}.type": "PEM" for name in stores},
            **{f"{name}.location": str(path) for name, path in stores.items()},
        }

    with stack_home() as (home, ports):
        certificates = home / "certificates"
        ours, other = Authority.new("made-up authority"), Authority.new("another authority")
        ours.issue(certificates / "broker", "broker", trusting=ours)
        user = ours.issue(certificates / "user", "user", trusting=ours)
        stranger = other.issue(certificates / "stranger", "stranger", trusting=ours)
        patch.setattr(kafka, "settings", with_tls)
        bootstrap = f"{HOST}:{ports.base + _TLS_STEP}"
        # The stack's services, but not the stack itself, go by TLS.
        with Stack(home, ports, extra_env={"MINGJIAN_KAFKA": bootstrap, "MINGJIAN_KAFKA_TLS_DIR": str(user)}) as stack:
            stack.start_servers("wall")
            yield TlsBroker(stack, bootstrap, user, stranger)
