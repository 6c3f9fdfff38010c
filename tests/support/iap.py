"""A simulated Identity-Aware Proxy: it signs assertions, and serves its keys."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.auth import crypt, jwt

from lifecycle.web import identity

AUDIENCE = "/projects/1/locations/europe-west1/services/lifecycle-page"


@dataclass
class Google:
    """Identity-Aware Proxy's key, and the answers with its public half."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    status: int = 200
    fetched: int = 0

    def assertion(self, kid: str = "k1", **claims: Any) -> str:
        now = int(time.time())
        given = {"iss": identity.ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 600, "email": "anna@example.com"}
        given |= claims
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        signer = crypt.EsSigner.from_string(pem, kid)
        return str(jwt.encode(signer, {k: v for k, v in given.items() if v is not None}).decode())

    def __call__(self, url: str, method: str, timeout: float) -> Any:
        self.fetched += 1
        public = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

        @dataclass
        class Response:
            status: int
            data: bytes

        return Response(self.status, json.dumps({"k1": public.decode()}).encode())
