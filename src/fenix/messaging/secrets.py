"""The secrets by which receivers know that a message is Fenix's: made here, and kept encrypted.

Messages are signed after Standard Webhooks (specification 1.0.0, "Symmetric"). Whoever reads the
database, or a copy of it, must not be able to sign: it holds only what Fernet has made of the
secrets, with keys that are in a file on the machines that run Fenix.
"""

import base64
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from oslo_config import cfg

GROUP = "subscriptions"
OPTS = (
    cfg.StrOpt(
        "key_file",
        help="File with the keys that the secrets of subscriptions are encrypted with, one in each "
        "line, as `fenix key add` writes it; the first encrypts, all decrypt. The same on all "
        "machines, and nobody else may read it. Unset: there are no secrets, and messages to new "
        "subscriptions are not signed.",
    ),
    cfg.IntOpt(
        "keep_old_secret",
        default=86400,
        min=0,
        max=30 * 86400,
        help="Seconds for which messages are signed with the secret before, too, after a "
        "subscription has got another one.",
    ),
)

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret (Standard Webhooks, "Signature scheme")."""
MADE = 32


class Undecipherable(Exception):
    """A secret was encrypted with a key that is not there."""


class SecretBox:
    """Encrypts secrets for the database.

    Args:
        keys: of Fernet; the first encrypts.

    Raises:
        ValueError: there is none, or one is no key.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("there is no key")
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, secret: str) -> str:
        """Encrypts a secret."""
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Decrypts a secret.

        Raises:
            Undecipherable: its key is not there.
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise Undecipherable(_UNKNOWN) from error

    def reseal(self, sealed: str) -> str:
        """Encrypts a secret anew, with the first key.

        Raises:
            Undecipherable: its key is not there.
        """
        try:
            return self._fernet.rotate(sealed).decode()
        except InvalidToken as error:
            raise Undecipherable(_UNKNOWN) from error


_UNKNOWN = f"the subscription's secret was encrypted with a key that [{GROUP}] key_file lacks"


def secret_box(conf: cfg.ConfigOpts) -> SecretBox | None:
    """The box with the keys that the configuration names; None: it names none.

    Raises:
        OSError: the file can't be read.
        ValueError: what it holds are no keys, or everybody may read it.
    """
    conf.register_opts(OPTS, GROUP)
    name = conf[GROUP].key_file
    if name is None:
        return None
    file = Path(name)
    wrong = f"[{GROUP}] key_file: {name!r} is not valid"
    if file.stat().st_mode & 0o007:
        raise ValueError(f"{wrong}; allowed: a file that only its owner and group may use")
    try:
        return SecretBox(file.read_text().split())
    except ValueError as error:
        raise ValueError(f"{wrong}; allowed: keys of Fernet, one in each line: {error}") from error


def new_key() -> str:
    """A random key for the file."""
    return Fernet.generate_key().decode()


def new_secret() -> str:
    """A random secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(MADE)).decode()


def check_secret(secret: str) -> str:
    """Gives a secret back if it is one.

    Raises:
        ValueError: it has another form.
    """
    try:
        length = len(base64.b64decode(secret.removeprefix(PREFIX), validate=True))
    except ValueError:
        length = 0
    if not secret.startswith(PREFIX) or not SHORTEST <= length <= LONGEST:
        # The value is not told: errors are logged, and this one may be nearly right.
        raise ValueError(f"{PREFIX} and the base64 of {SHORTEST} to {LONGEST} random bytes")
    return secret
