"""`daypass serve` over TLS: a certificate authority, an issuer and a configuration of a test's own."""

from __future__ import annotations

import datetime
import ipaddress
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness.service import Service, serve

ISSUER = "https://token.actions.githubusercontent.com"
ACCOUNT = "210987654321"

CONFIGURATION = f"""
listen     = "127.0.0.1:0"
data       = "data"
account_id = "{ACCOUNT}"
tls        = {{ cert = "server.pem", key = "server.key" }}
admin      = {{ listen = "127.0.0.1:0" }}

[[issuer]]
name      = "github"
url       = "{ISSUER}"
platform  = "github-actions"
audiences = ["sts.amazonaws.com"]
jwks_file = "issuer.jwks.json"

[[role]]
name = "deploy"
[[role.trust]]
issuer   = "github"
audience = "sts.amazonaws.com"
claims.repository_id       = "2002"
claims.repository_owner_id = "1001"
claims.ref                 = "refs/heads/main"

[[role]]
name       = "publish"
credential = {{ kind = "jwt", audience = "https://registry.acme.example", subject = "repository:{{repository}}" }}
[[role.trust]]
issuer   = "github"
audience = "sts.amazonaws.com"
claims.repository_id       = "2002"
claims.repository_owner_id = "1001"
claims.ref                 = "refs/heads/main"
"""


@dataclass(frozen=True)
class SecureService:
    """A service, the authority that vouches for it, and the issuer that it trusts."""

    service: Service
    authority: Path
    signing_key: rsa.RSAPrivateKey

    def sign(self, **claims: object) -> str:
        """A token of a push to main of acme/app, but for what `claims` say."""
        now = int(time.time())
        usual = {
            "iss": ISSUER,
            "sub": "repo:acme/app:ref:refs/heads/main",
            "aud": "sts.amazonaws.com",
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": f"{ISSUER}/{time.time_ns()}",
            "repository": "acme/app",
            "repository_id": "2002",
            "repository_owner": "acme",
            "repository_owner_id": "1001",
            "ref": "refs/heads/main",
        }
        return jwt.encode({**usual, **claims}, self.signing_key, "RS256", headers={"kid": "test"})


@contextmanager
def secure(directory: Path) -> Iterator[SecureService]:
    """Serves over TLS, with state and keys in `directory`."""
    signing_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(signing_key.public_key(), as_dict=True)
    keys = {"keys": [{**public, "kid": "test", "use": "sig", "alg": "RS256"}]}
    (directory / "issuer.jwks.json").write_text(json.dumps(keys))
    _certificates(directory)
    config = directory / "daypass.toml"
    config.write_text(CONFIGURATION)
    with serve(config, directory / "data", ACCOUNT) as service:
        yield SecureService(service, directory / "authority.pem", signing_key)


def _certificates(directory: Path) -> None:
    """An authority, and a certificate of it for 127.0.0.1."""
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client suites")])
    server = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "daypass")])
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    vouching = (
        _certificate(authority, authority, authority_key.public_key())
        .add_extension(constraints, critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    serving = (
        _certificate(server, authority, server_key.public_key())
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    (directory / "authority.pem").write_bytes(vouching.public_bytes(serialization.Encoding.PEM))
    (directory / "server.pem").write_bytes(serving.public_bytes(serialization.Encoding.PEM))
    (directory / "server.key").write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(hours=1))
    )


def _usage(sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )
