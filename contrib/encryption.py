"""Secret access keys at rest: encrypted under keys that the operator gives, newest first.

A signature can be verified only with the secret itself, so that a key store
must be able to read it: it is encrypted, not hashed. Fernet is AES-128-CBC
with an HMAC; a token that was changed does not decrypt. The access key id is
encrypted along with the secret, so that whoever can write to the database
cannot give one key the secret of another.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet
from cryptography.fernet import InvalidToken
from cryptography.fernet import MultiFernet

from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.errors import ConfigurationError


class SecretLost(Exception):
    """The secret of a key was encrypted with none of the encryption keys given.

    Attributes:
        access_key_id: the key.
    """

    def __init__(self, access_key_id: str) -> None:
        super().__init__(access_key_id)
        self.access_key_id = access_key_id

    def __str__(self) -> str:
        return (
            f"the secret of {self.access_key_id} was encrypted with none of the encryption keys "
            "given: put the one back that is missing, at the end of the list"
        )


class SecretEncryption:
    """Encrypts secrets with the first of several keys, and decrypts what any of them encrypted.

    Args:
        keys: Fernet keys, newest first: 32 bytes in URL-safe base64, as
            ``Fernet.generate_key()`` returns them.

    Raises:
        ConfigurationError: if there is none, or one is no Fernet key.
    """

    def __init__(self, keys: Sequence[str | bytes | Secret]) -> None:
        if isinstance(keys, str | bytes | Secret):
            raise ConfigurationError("encryption_keys is a list of keys, newest first")
        fernets = [_fernet(key) for key in keys]
        if not fernets:
            raise ConfigurationError("at least one encryption key is needed")
        self._newest = fernets[0]
        self._all = MultiFernet(fernets)

    def __repr__(self) -> str:
        return "SecretEncryption(...)"

    def encrypt(self, access_key_id: str, secret: Secret) -> str:
        """Return *secret* as it may be stored, encrypted with the newest key."""
        text = f"{access_key_id}\n{secret.reveal()}"
        return self._newest.encrypt(text.encode()).decode("ascii")

    def decrypt(self, access_key_id: str, encrypted: str) -> Secret:
        """Return the secret that was encrypted for *access_key_id*.

        Raises:
            SecretLost: if none of the keys decrypts it, or it is that of another key id.
        """
        try:
            text = self._all.decrypt(encrypted.encode()).decode()
        except (InvalidToken, ValueError):
            raise SecretLost(access_key_id) from None
        owner, _, secret = text.partition("\n")
        if owner != access_key_id or not secret:
            raise SecretLost(access_key_id)
        return Secret(secret)

    def is_newest(self, encrypted: str) -> bool:
        """Return whether the newest key encrypted it."""
        try:
            self._newest.decrypt(encrypted.encode())
        except (InvalidToken, ValueError):
            return False
        return True


def _fernet(key: str | bytes | Secret) -> Fernet:
    try:
        return Fernet(key.reveal() if isinstance(key, Secret) else key)
    except (ValueError, TypeError):
        # Its message, and the cause's, would quote the key.
        raise ConfigurationError(
            "an encryption key is 32 bytes in URL-safe base64, as Fernet.generate_key() makes them"
        ) from None
