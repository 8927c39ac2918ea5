"""A reviewer's device in software: makes WebAuthn keys and signs with them, as browsers expect."""

import hashlib
import json
import os
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url, encode_cbor

ORIGIN = "https://shenfa.example"


class Device:
    """One ES256 key for one origin; it verifies its user and counts its signatures."""

    def __init__(self, origin: str = ORIGIN) -> None:
        self.origin = origin
        self.rp_id = origin.split("//")[1].split(":")[0]
        self.id = os.urandom(16)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.count = 0

    def _data(self, flags: int, more: bytes = b"") -> bytes:
        self.count += 1
        rp = hashlib.sha256(self.rp_id.encode()).digest()
        return rp + bytes([flags]) + self.count.to_bytes(4, "big") + more

    def _client(self, kind: str, challenge: str) -> bytes:
        data = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(data).encode()

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """What navigator.credentials.create gives."""
        numbers = self.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        cose = encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        held = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cose
        data = self._data(0x45, held)
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"])
        return {
            "id": bytes_to_base64url(self.id),
            "rawId": bytes_to_base64url(self.id),
            "type": "public-key",
            "response": {
                "clientDataJSON": bytes_to_base64url(client),
                "attestationObject": bytes_to_base64url(attestation),
            },
        }

    def sign(self, options: dict[str, Any]) -> dict[str, Any]:
        """What navigator.credentials.get gives."""
        data = self._data(0x05)
        client = self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return {
            "id": bytes_to_base64url(self.id),
            "response": {
                "authenticatorData": bytes_to_base64url(data),
                "clientDataJSON": bytes_to_base64url(client),
                "signature": bytes_to_base64url(signature),
            },
        }
