import asyncio
import contextlib
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from oslo_config import cfg
from receivers import Receiver, receiver

from fenix.domain import BodyFormat, EventType, Message, Subscription
from fenix.messaging import DeliveryFailed
from fenix.messaging.bodies import aodh_body, cloudevents_body
from fenix.messaging.http import GROUP, HttpChannel, create

LOOPBACK = ["127.0.0.0/8", "::1/128"]


def channel(networks: Sequence[str] = LOOPBACK, **options: Any) -> HttpChannel:
    conf = cfg.ConfigOpts()
    conf([])
    create(conf)
    conf.set_override("allow_networks", list(networks), GROUP)
    for name, value in options.items():
        conf.set_override(name, value, GROUP)
    return create(conf)


def subscription(url: str, **fields: Any) -> Subscription:
    values = {
        "id": "sub-1",
        "project_id": "p1",
        "url": url,
        "format": BodyFormat.AODH,
        "event_types": (EventType.SCHEDULED,),
        "created_at": datetime(2026, 1, 1),
    }
    return Subscription(**values | fields)


def send(message: Message, url: str, through: HttpChannel | None = None, **fields: Any) -> None:
    asyncio.run((through or channel()).send(message, subscription(url, **fields)))


def failure(message: Message, url: str, through: HttpChannel | None = None) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        send(message, url, through)
    return caught.value


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def test_the_aodh_format(server: Receiver, message: Message) -> None:
    send(message, f"http://127.0.0.1:{server.port}/alarm?x=1")
    path, headers, body = server.take()
    assert path == "/alarm?x=1"
    assert headers["Content-Type"] == "application/json"
    assert headers["Webhook-Id"] == message.id
    assert headers["Host"] == f"127.0.0.1:{server.port}"
    assert body == json.loads(json.dumps(aodh_body(message, "sub-1")))


def test_the_cloudevents_format(server: Receiver, message: Message) -> None:
    send(message, f"http://127.0.0.1:{server.port}/", format=BodyFormat.CLOUDEVENTS)
    _, headers, body = server.take()
    assert headers["Content-Type"].startswith("application/cloudevents+json")
    assert body == json.loads(json.dumps(cloudevents_body(message)))


def test_a_name_is_looked_up_and_told_as_host(server: Receiver, message: Message) -> None:
    """`localhost` may be ::1 first, where nobody listens."""
    send(message, f"http://localhost:{server.port}/")
    assert server.take()[1]["Host"] == f"localhost:{server.port}"


def test_user_and_password_of_the_url_are_used(server: Receiver, message: Message) -> None:
    send(message, f"http://user:secret@127.0.0.1:{server.port}/")
    headers = server.take()[1]
    assert headers["Authorization"].startswith("Basic ")
    assert "secret" not in headers["Host"]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_2xx_is_success(server: Receiver, message: Message, status: int) -> None:
    server.status = status
    send(message, f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize("status", [302, 307, 400, 404, 410, 500, 503])
def test_all_else_is_not(server: Receiver, message: Message, status: int) -> None:
    server.status = status
    server.headers = {"Location": f"http://127.0.0.1:{server.port}/elsewhere"}
    error = failure(message, f"http://127.0.0.1:{server.port}/first")
    assert str(status) in str(error)
    assert error.retry_after is None
    assert server.take()[0] == "/first"
    assert server.got.empty(), "a redirection was followed"


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        ("17", 17, 17),
        ("0", 0, 0),
        ("999999999", 86400, 86400),
        ("in two minutes", 60, 120),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
    ],
)
def test_retry_after_is_passed_on(
    server: Receiver, message: Message, value: str, low: float, high: float
) -> None:
    server.status = 503
    if value == "in two minutes":
        value = format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)
    server.headers = {"Retry-After": value}
    asked = failure(message, f"http://127.0.0.1:{server.port}/").retry_after
    assert asked is not None
    assert low <= asked <= high


@pytest.mark.parametrize("value", ["soon", "-5", "1.5", "9" * 400, "²"])
def test_a_senseless_retry_after_is_ignored(server: Receiver, message: Message, value: str) -> None:
    server.status = 429
    server.headers = {"Retry-After": value.encode().decode("latin-1")}
    assert failure(message, f"http://127.0.0.1:{server.port}/").retry_after is None


def test_a_receiver_that_took_it_and_stays_silent_is_not_sent_it_again(
    server: Receiver, message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    server.answering.clear()
    send(message, f"http://127.0.0.1:{server.port}/", channel(timeout=0.2))
    assert "did not answer within 0.2 s" in caplog.text


def test_an_endless_answer_costs_nothing(server: Receiver, message: Message) -> None:
    server.body = b"x" * (32 << 20)
    send(message, f"http://127.0.0.1:{server.port}/")


def test_interim_answers_without_end(message: Message) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            client, _ = server.accept()
            with client, contextlib.suppress(OSError):
                while True:
                    client.sendall(interim)

        talking = threading.Thread(target=talk)
        talking.start()
        said = str(failure(message, f"http://127.0.0.1:{server.getsockname()[1]}/"))
        talking.join(20)
    assert "no end of the head within 131072 bytes" in said


def test_nobody_listens(message: Message) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        assert "ConnectError" in str(failure(message, f"http://127.0.0.1:{port}/"))


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 \xff" + b"\x80" * 50_000 + b"\r\n\r\n",
        b"HTTP/1.1 500 \x1b[2J\r\n\r\n",
    ],
)
def test_an_answer_that_is_no_http_or_malicious(message: Message, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        async def run() -> None:
            async def talk() -> None:
                client, _ = await asyncio.get_running_loop().sock_accept(server)
                with client:
                    await asyncio.get_running_loop().sock_recv(client, 65536)
                    await asyncio.get_running_loop().sock_sendall(client, answer)

            server.setblocking(False)
            url = f"http://127.0.0.1:{server.getsockname()[1]}/"
            async with asyncio.TaskGroup() as group:
                group.create_task(talk())
                expected = r"RemoteProtocolError|ReadError|answered 500 \?\[2J"
                with pytest.raises(DeliveryFailed, match=expected) as caught:
                    await channel().send(message, subscription(url))
                assert len(str(caught.value)) <= 500
                assert str(caught.value).isprintable()

        asyncio.run(run())


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/path",
        "ftp://127.0.0.1/",
        "http://",
        "http://[::1/",
        "http://no-such-name.invalid/",
        f"http://{'x' * 70}.example/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:0/",
    ],
)
def test_urls_that_lead_nowhere(message: Message, url: str) -> None:
    failure(message, url)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1", "[::]"]
)
def test_the_own_machine_is_out_of_reach(server: Receiver, message: Message, host: str) -> None:
    error = failure(message, f"http://{host}:{server.port}/", channel(networks=()))
    assert "allow_networks" in str(error)
    assert server.got.empty()


def test_only_the_listed_networks_are_within_reach(server: Receiver, message: Message) -> None:
    error = failure(message, f"http://127.0.0.1:{server.port}/", channel(["127.0.0.2/32"]))
    assert "127.0.0.1" in str(error)


def test_the_checked_address_is_the_one_that_is_used(
    server: Receiver, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: from its second look-up on the name points to another machine."""
    lookups = []
    real = socket.getaddrinfo

    def rebinding(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "receiver.test":
            return real(host, port, *args, **kwargs)
        lookups.append(host)
        return real("127.0.0.1" if len(lookups) == 1 else "127.0.0.2", port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with receiver("127.0.0.2") as victim:
        victim_port = victim.port
        send(message, f"http://receiver.test:{server.port}/", channel(["127.0.0.1/32"]))
        assert server.take()[1]["Host"] == f"receiver.test:{server.port}"
        assert "allow_networks" in str(
            failure(message, f"http://receiver.test:{victim_port}/", channel(["127.0.0.1/32"]))
        )
        assert victim.got.empty()
    assert len(lookups) == 2


def test_slow_name_servers_hold_up_nothing_else(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project may name receivers in a domain whose servers it runs."""
    end = threading.Event()
    real = socket.getaddrinfo

    def slow(host: Any, *args: Any, **kwargs: Any) -> Any:
        end.wait(30)
        return real("127.0.0.1", *args, **kwargs)

    async def run() -> None:
        through = channel(connect_timeout=0.1)
        sent = (through.send(message, subscription(f"http://r{n}.test/")) for n in range(100))
        failures = await asyncio.gather(*sent, return_exceptions=True)
        assert all("was not resolved" in str(one) for one in failures)
        async with asyncio.timeout(10):
            await asyncio.to_thread(int)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    try:
        asyncio.run(run())
    finally:
        end.set()


def test_forbidden_addresses_of_a_name_are_passed_over(
    server: Receiver, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def both(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        found = real("127.0.0.2", port, *args, **kwargs)
        return found + real("127.0.0.1", port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", both)
    send(message, f"http://two.test:{server.port}/", channel(["127.0.0.1/32"]))
    server.take()


def certificates(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """An authority's certificate, and a server that it vouches for under `name`."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file = folder / "key.pem"
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key_file)
    return file, context


def test_https_checks_the_name_of_the_url(tmp_path: Path, message: Message) -> None:
    file, context = certificates(tmp_path, "localhost")
    with receiver(tls=context) as server:
        trusting = channel(cafile=str(file))
        send(message, f"https://localhost:{server.port}/", trusting)
        server.take()
        error = failure(message, f"https://127.0.0.1:{server.port}/", trusting)
        assert "certificate" in str(error).lower()
        error = failure(message, f"https://localhost:{server.port}/", channel())
        assert "certificate" in str(error).lower()
        assert server.got.empty()


def test_targets_are_the_subscriptions_of_the_project_to_the_type() -> None:
    subscriptions = [
        subscription("http://a/", id="a"),
        subscription("http://b/", id="b", event_types=(EventType.HOST, EventType.SCHEDULED)),
        subscription("http://c/", id="c", event_types=(EventType.SESSION,)),
        subscription("http://d/", id="d", project_id="p2"),
    ]
    assert list(channel().targets("p1", EventType.SCHEDULED, subscriptions)) == ["a", "b"]
    assert list(channel().targets("p1", EventType.HOST, subscriptions)) == ["b"]
    assert list(channel().targets("p3", EventType.HOST, subscriptions)) == []


def test_a_network_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="host bits"):
        channel(["10.0.0.1/8"])


def test_the_default_reaches_private_and_public_addresses_only() -> None:
    from fenix.messaging.addresses import allowed

    within = "10.1.2.3 172.16.0.1 192.168.1.1 100.64.0.1 8.8.8.8 fd00::1 2001:4860:4860::8888"
    without = (
        "127.0.0.1 127.9.9.9 169.254.169.254 0.0.0.0 0.1.2.3 224.0.0.1 240.0.0.1 255.255.255.255 "
        ":: ::1 fe80::1 ff02::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 "
        "2002:7f00:1:: ::127.0.0.1"
    )
    assert all(allowed(ipaddress.ip_address(text), ()) for text in within.split())
    assert not any(allowed(ipaddress.ip_address(text), ()) for text in without.split())


def test_what_is_special_has_to_be_named_by_itself() -> None:
    from fenix.messaging.addresses import allowed

    def reached(address: str, *networks: str) -> bool:
        known = [ipaddress.ip_network(network) for network in networks]
        return allowed(ipaddress.ip_address(address), known)

    everything = ("0.0.0.0/0", "::/0")
    assert reached("8.8.8.8", *everything)
    assert reached("2001:4860:4860::8888", *everything)
    for special in (
        "127.0.0.1", "169.254.169.254", "0.0.0.0", "::1", "fe80::1", "224.0.0.1",
        "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2001:0:7f00:1::",
    ):  # fmt: skip
        assert not reached(special, *everything), special
        assert not reached(special, "169.0.0.0/8", "126.0.0.0/7", "f000::/4"), special
    assert reached("127.0.0.1", "127.0.0.0/8")
    assert reached("::ffff:127.0.0.1", "127.0.0.1/32")
    assert reached("::1", "::1/128")
    assert reached("fe80::1", "fe80::/10")
    assert reached("169.254.0.9", "10.0.0.0/8", "169.254.0.0/24")
