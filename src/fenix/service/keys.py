"""Changes the keys that the secrets of subscriptions are encrypted with."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from oslo_config import cfg
from sqlalchemy import Connection

from fenix.messaging.secrets import GROUP, SecretBox, Undecipherable, new_key, secret_box
from fenix.service.errors import CannotStart, explained
from fenix.service.parts import open_database
from fenix.store import DatabaseUnavailable, subscriptions
from fenix.store.admission import one_at_a_time

PRIVATE = 0o600


def add_key(file: Path) -> int:
    """Puts a new key first into a file, and keeps the others.

    Returns:
        How many keys it holds now.

    Raises:
        OSError: the file can't be written.
    """
    keys, mode = [new_key()], PRIVATE
    with suppress(FileNotFoundError):
        keys += file.read_text().split()
        mode = file.stat().st_mode & 0o770
    beside = file.with_name(f".{file.name}.new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as written:
        written.write("\n".join([*keys, ""]))
    beside.replace(file)
    return len(keys)


def reseal(conf: cfg.ConfigOpts) -> int:
    """Encrypts all secrets in the database with the first key.

    Returns:
        How many subscriptions have secrets.

    Raises:
        CannotStart: there is no key, one that is needed is missing, or the database is away.
    """
    with explained(ValueError, OSError):
        box = secret_box(conf)
    if box is None:
        raise CannotStart(f"[{GROUP}] key_file is not set")
    database = open_database(conf)
    try:
        with (
            explained(DatabaseUnavailable, what="database"),
            explained(Undecipherable),
            database.connect(write=True) as connection,
            connection.begin(),
        ):
            return _reseal(connection, box)
    finally:
        database.close()


def _reseal(connection: Connection, box: SecretBox) -> int:
    one_at_a_time(connection)  # with whoever replaces a secret
    found = [one for one in subscriptions.list_all(connection) if one.secret]
    for one in found:
        changed = replace(
            one,
            secret=box.reseal(one.secret or ""),
            old_secret=box.reseal(one.old_secret) if one.old_secret else None,
        )
        subscriptions.save_secrets(connection, changed)
    return len(found)
