"""Tokens that Keystone issued long ago: a new one with another time in it, under its keys."""

import time

import msgpack
from cryptography.fernet import Fernet, MultiFernet
from devcloud.settings import Settings


def expired(settings: Settings, token: str) -> str:
    """The token as it would be had it expired an hour ago.

    Keystone's Fernet tokens hold a msgpack list; its only real number is the time of expiry
    (keystone, `token_formatters.py`).
    """
    folder = settings.etc / "keystone/fernet-keys"
    keys = sorted(folder.iterdir(), key=lambda file: int(file.name), reverse=True)
    fernet = MultiFernet([Fernet(key.read_bytes()) for key in keys])
    parts = msgpack.unpackb(fernet.decrypt(token + "=" * (-len(token) % 4)))
    old = [time.time() - 3600 if isinstance(part, float) else part for part in parts]
    assert old != parts
    return fernet.encrypt(msgpack.packb(old)).decode().rstrip("=")
