"""Signatures as a receiver checks them, with the library for it and by the specification."""

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import json
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from oslo_config import cfg
from receivers import Receiver, receiver
from standardwebhooks import Webhook, WebhookVerificationError

from fenix.domain import BodyFormat, EventType, Message, Subscription
from fenix.messaging import DeliveryFailed, signing
from fenix.messaging.http import HttpChannel
from fenix.messaging.secrets import GROUP, SecretBox, Undecipherable, new_key, secret_box

OLD = "whsec_" + base64.b64encode(b"o" * 24).decode()
NEW = "whsec_" + base64.b64encode(b"n" * 64).decode()
KEY = "A" * 43 + "="
BOX = SecretBox([new_key()])
NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


def subscription(url: str = "http://127.0.0.1/", **fields: object) -> Subscription:
    made = Subscription(
        id="sub-1",
        project_id="p1",
        url=url,
        format=BodyFormat.CLOUDEVENTS,
        event_types=(EventType.SCHEDULED,),
        created_at=datetime(2026, 1, 1),
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def channel(box: SecretBox | None = BOX) -> HttpChannel:
    networks = [ipaddress.ip_network("127.0.0.0/8")]
    return HttpChannel(5.0, networks, ssl.create_default_context(), secrets=box)


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def test_a_receiver_can_verify_what_arrives(server: Receiver, message: Message) -> None:
    target = subscription(f"http://127.0.0.1:{server.port}/", secret=BOX.seal(NEW))
    asyncio.run(channel().send(message, target))
    _, headers, body = server.take()
    raw = json.dumps(body).encode()
    Webhook(NEW).verify(raw, dict(headers.items()))
    assert headers["webhook-id"] == message.id
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(raw.replace(b"PLANNED", b"PREPARE"), dict(headers.items()))
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(raw, dict(headers.items()))


def test_the_signature_is_the_one_of_the_specification() -> None:
    made = signing.headers("m-1", b'{"a": 1}', subscription(secret=BOX.seal(NEW)), BOX, NOW)
    signed = b'm-1.1893499200.{"a": 1}'
    digest = hmac.new(b"n" * 64, signed, hashlib.sha256).digest()
    assert made == {
        "Webhook-Id": "m-1",
        "Webhook-Timestamp": "1893499200",
        "Webhook-Signature": f"v1,{base64.b64encode(digest).decode()}",
    }


@pytest.mark.parametrize(("left", "signatures"), [(1, 2), (0, 1), (-1, 1)])
def test_the_secret_before_counts_for_a_while(left: int, signatures: int) -> None:
    until = NOW.replace(tzinfo=None) + timedelta(seconds=left)
    target = subscription(secret=BOX.seal(NEW), old_secret=BOX.seal(OLD), old_secret_until=until)
    made = signing.headers("m-1", b"{}", target, BOX, NOW)["Webhook-Signature"].split()
    expected = [Webhook(secret).sign("m-1", NOW, "{}") for secret in (NEW, OLD)]
    assert made == expected[:signatures]


def test_a_subscription_without_a_secret_is_not_signed() -> None:
    assert "Webhook-Signature" not in signing.headers("m-1", b"{}", subscription(), BOX, NOW)
    assert "Webhook-Signature" not in signing.headers("m-1", b"{}", subscription(), None, NOW)


@pytest.mark.parametrize("box", [None, SecretBox([new_key()])])
def test_nothing_goes_out_unsigned_that_should_be_signed(
    server: Receiver, message: Message, box: SecretBox | None
) -> None:
    target = subscription(f"http://127.0.0.1:{server.port}/", secret=BOX.seal(NEW))
    with pytest.raises(DeliveryFailed, match="key_file"):
        asyncio.run(channel(box).send(message, target))
    assert server.got.empty()


def configured(file: Path | None) -> SecretBox | None:
    conf = cfg.ConfigOpts()
    conf([])
    secret_box(conf)
    conf.set_override("key_file", str(file) if file else None, GROUP)
    return secret_box(conf)


def test_keys_are_replaced(tmp_path: Path) -> None:
    old, new = new_key(), new_key()
    sealed = SecretBox([old]).seal(NEW)
    file = tmp_path / "keys"
    file.write_text(f"{new}\n{old}\n")
    file.chmod(0o640)
    box = configured(file)
    assert box is not None
    assert box.open(sealed) == NEW
    again = box.reseal(sealed)
    assert SecretBox([new]).open(again) == NEW
    with pytest.raises(Undecipherable):
        SecretBox([old]).open(again)
    with pytest.raises(Undecipherable):
        SecretBox([old]).reseal(again)
    assert configured(None) is None


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("", 0o600, "there is no key"),
        ("secret\n", 0o600, "Fernet"),
        (f"{KEY}\nhalf a key\n", 0o600, "Fernet"),
        (KEY, 0o644, "only its owner and group"),
    ],
)
def test_a_file_that_holds_no_keys_is_refused(
    tmp_path: Path, text: str, mode: int, said: str
) -> None:
    file = tmp_path / "keys"
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(ValueError, match=rf"\[subscriptions\] key_file.*{said}"):
        configured(file)
