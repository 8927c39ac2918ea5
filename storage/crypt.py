"""Encryption of personal addresses and account secrets with a key outside the database."""

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_BOUND = "b1:"
"""Begins every ciphertext that is bound to its place."""


def place_of(table: str, row_id: str, column: str) -> str:
    """What a ciphertext is bound to."""
    return f"{table}:{row_id}:{column}"


class DataKey:
    """AES-256-GCM for values that are read back, HMAC-SHA-256 for values that are looked up."""

    def __init__(self, key: bytes) -> None:
        """`key` is 32 random bytes."""
        if len(key) != 32:
            raise ValueError("数据密钥必须是 32 字节：请用 shenfa init 生成，或检查密钥文件")
        self._box = AESGCM(hashlib.sha256(b"shenfa encrypt" + key).digest())
        self._mac = hashlib.sha256(b"shenfa lookup" + key).digest()
        self.seal_key = hashlib.sha256(b"shenfa seal" + key).digest()
        self.file_key = hashlib.sha256(b"shenfa file" + key).digest()

    def encrypt(self, value: str, place: str) -> str:
        """Base64 of nonce and ciphertext; a new nonce each time.

        `place` (table:row:column) is bound in: copied to another row or column it does not open.
        """
        nonce = secrets.token_bytes(12)
        sealed = self._box.encrypt(nonce, value.encode(), place.encode())
        return _BOUND + base64.b64encode(nonce + sealed).decode()

    def decrypt(self, value: str, place: str) -> str:
        """The plain value; ValueError when it was changed, moved, or another key wrote it."""
        if not value.startswith(_BOUND):
            raise ValueError("密文没有绑定位置：请先运行一次本版本的升级，或数据被改动")
        return self._open(value.removeprefix(_BOUND), place.encode())

    def decrypt_unbound(self, value: str) -> str:
        """What a version before bound ciphertexts wrote; only the upgrade asks for it."""
        return self._open(value, None)

    def _open(self, value: str, place: bytes | None) -> str:
        try:
            raw = base64.b64decode(value, validate=True)
            return self._box.decrypt(raw[:12], raw[12:], place).decode()
        except (InvalidTag, ValueError) as error:
            raise ValueError("密文无法解开：数据密钥不符，或数据被改动") from error

    def blind(self, value: str) -> str:
        """A keyed hash to look a value up without storing it."""
        return hmac.new(self._mac, value.encode(), hashlib.sha256).hexdigest()


def load_or_create_key(path: Path) -> bytes:
    """Read 32 bytes from `path`; create the file (mode 0600) when it is absent."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
    return bytes.fromhex(path.read_text(encoding="ascii").strip())
