"""Secrets that Tocsin must be able to read again, such as what a sender signs with: encrypted where they are stored.

Of everything that is only compared, a hash is kept instead (`config.ids`).
"""

from __future__ import annotations

import base64

from config import ids


class Vault:
    """Seals with a key derived from TOCSIN_SECRET_KEY: the database alone gives nothing away."""

    def __init__(self, secret_key: str) -> None:
        self._key = base64.urlsafe_b64encode(bytes.fromhex(ids.derived_secret(secret_key, "sealed")))

    def seal(self, secret: str) -> str:
        """Another text each time."""
        from cryptography.fernet import Fernet  # takes a noticeable moment, and few processes need it

        sealed: bytes = Fernet(self._key).encrypt(secret.encode())
        return sealed.decode()

    def open(self, sealed: str) -> str | None:
        """None if another TOCSIN_SECRET_KEY sealed it, or it was changed."""
        from cryptography.fernet import Fernet, InvalidToken

        try:
            opened: bytes = Fernet(self._key).decrypt(sealed.encode())
        except InvalidToken:
            return None
        return opened.decode()
