"""The channel `http`: messages straight to the URLs that projects have subscribed.

It needs no Telemetry services in between. The URL is the project's choice, so the channel decides
by the address behind it (`fenix.messaging.addresses`), and connects to exactly the address that it
has checked: a name that resolves differently a moment later changes nothing. Of the answer only
the head is read, so that nobody can look at other services through Fenix.
"""

import asyncio
import json
import logging
import re
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from oslo_config import cfg

from fenix import __version__
from fenix.domain import BodyFormat, EventType, Message, Subscription
from fenix.messaging import secrets, signing
from fenix.messaging.addresses import Address, Network, NetworkType, allowed, resolve
from fenix.messaging.base import DeliveryFailed
from fenix.messaging.bodies import aodh_body, cloudevents_body
from fenix.messaging.bounded import BoundedTransport
from fenix.messaging.secrets import SecretBox

log = logging.getLogger(__name__)

GROUP = "http_channel"
OPTS = (
    cfg.FloatOpt(
        "timeout",
        default=360.0,
        min=0.1,
        help="Seconds that a receiver may take to answer a delivery. OPNFV Doctor's managers do "
        "all their work, scaling included, before they answer the POST.",
    ),
    cfg.FloatOpt(
        "connect_timeout",
        default=10.0,
        min=0.1,
        help="Seconds that it may take to look up a receiver's name and to connect to it.",
    ),
    cfg.ListOpt(
        "allow_networks",
        item_type=NetworkType(),
        default=[],
        help="Networks (CIDR) to which messages may be posted, and no others. Empty: all private "
        "and public addresses, but neither loopback nor link-local ones. Those have to be named by "
        "themselves, as 127.0.0.0/8: a wider network does not allow them.",
    ),
    cfg.StrOpt(
        "cafile",
        help="File with the certificates (PEM) of the authorities that https receivers are "
        "trusted by. Unset: the system's.",
    ),
)

MOST_ADDRESSES = 8
"""How many addresses of a receiver's name are tried."""
_PORTS = {"http": 80, "https": 443}
_LONGEST_RETRY_AFTER = 86400.0


class HttpChannel:
    """Posts messages to subscriptions; an answer of 2xx means taken.

    ``Webhook-Id`` is the message's id, the same at each attempt, so that a receiver can tell a
    repetition; `fenix.messaging.signing` adds a signature.

    Args:
        timeout: seconds that a receiver may take to answer. One that has got the message and stays
            silent for longer is not sent it again: it may be scaling in, and would do it twice.
        networks: where it may connect to; empty: see `fenix.messaging.addresses.allowed`.
        trust: which authorities vouch for https receivers.
        connect_timeout: seconds that it may take to look up a name and to connect.
        secrets: opens the secrets of subscriptions; None: none has one.
    """

    name = "http"

    def __init__(
        self,
        timeout: float,
        networks: Sequence[Network],
        trust: ssl.SSLContext,
        connect_timeout: float = 10.0,
        secrets: SecretBox | None = None,
    ) -> None:
        self._timeout = timeout
        self._connect_timeout = min(connect_timeout, timeout)
        self._networks = tuple(networks)
        self._trust = trust
        self._secrets = secrets
        self.longest = 2 * self._connect_timeout + timeout

    def targets(
        self, project_id: str, event_type: EventType, subscriptions: Sequence[Subscription]
    ) -> Sequence[str]:
        """The ids of the project's subscriptions to this kind of message."""
        return [
            subscription.id
            for subscription in subscriptions
            if subscription.project_id == project_id and event_type in subscription.event_types
        ]

    async def send(self, message: Message, target: Subscription | None) -> None:
        """Posts one message to one subscription's URL; redirections are not followed.

        Raises:
            DeliveryFailed: the URL is not allowed or leads nowhere, or the answer is not 2xx.
        """
        if target is None:
            raise DeliveryFailed("this channel posts to subscriptions, and does not broadcast")
        try:
            async with asyncio.timeout(self._connect_timeout):
                url = httpx.URL(target.url)
                addresses = await self._addresses(url)
        except TimeoutError:
            limit = self._connect_timeout
            raise DeliveryFailed(f"its name was not resolved within {limit:g} s") from None
        except httpx.InvalidURL as error:
            raise DeliveryFailed(f"not a URL: {error}") from error
        try:
            async with asyncio.timeout(self._connect_timeout + self._timeout):
                response = await self._post(url, addresses, message, target)
        except (httpx.ReadTimeout, TimeoutError):
            log.warning(
                "message %s (%s): subscription %s took it and did not answer within %g s; it is "
                "not sent again",
                message.id,
                message.state,
                target.id,
                self._timeout,
            )
            return
        except httpx.HTTPError as error:
            raise DeliveryFailed(f"{type(error).__name__}: {error}") from error
        if not response.is_success:
            raise DeliveryFailed(
                f"the receiver answered {response.status_code} {response.reason_phrase[:100]}",
                _retry_after(response.headers),
            )

    async def close(self) -> None:
        """Nothing stays open between deliveries."""

    async def _addresses(self, url: httpx.URL) -> Sequence[Address]:
        port = url.port or _PORTS.get(url.scheme, 0)
        if url.scheme not in _PORTS or not url.host or port > 65535:
            raise DeliveryFailed("not a URL with http or https, a host and a possible port")
        try:
            found = await resolve(_host(url), port)
        except (OSError, UnicodeError) as error:
            raise DeliveryFailed(f"{url.host} can't be resolved: {error}") from error
        addresses = [address for address in found if allowed(address, self._networks)]
        addresses = addresses[:MOST_ADDRESSES]
        if not addresses:
            # Which ones they are is for the operator alone: names inside of the control plane.
            log.warning("%s is %s: not allowed", url.host, ", ".join(map(str, found)))
            raise DeliveryFailed(
                f"{url.host} has no address at which [{GROUP}] allow_networks allows to post"
            )
        return addresses

    async def _post(
        self, url: httpx.URL, addresses: Sequence[Address], message: Message, target: Subscription
    ) -> httpx.Response:
        """Posts to the first address that can be connected to."""
        content_type, body = _render(message, target)
        request = httpx.Request(
            "POST",
            url,
            content=body,
            headers={
                "Host": url.netloc.decode("ascii"),
                "User-Agent": f"fenix/{__version__}",
                "Content-Type": content_type,
                **signing.headers(message.id, body, target, self._secrets, datetime.now(UTC)),
            },
            extensions={
                "sni_hostname": _host(url),
                "timeout": {
                    "connect": self._connect_timeout / len(addresses),
                    "write": self._connect_timeout,
                    "read": self._timeout,
                },
            },
        )
        failure: httpx.HTTPError = httpx.ConnectError("no address")
        for address in addresses:
            request.url = url.copy_with(host=str(address))
            # A client for each attempt: nothing is carried over from one receiver to another,
            # neither cookies nor a connection whose certificate was checked for another name.
            async with httpx.AsyncClient(transport=BoundedTransport(self._trust)) as client:
                try:
                    response = await client.send(request, stream=True, follow_redirects=False)
                except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                    failure = error
                    continue
                await response.aclose()
                return response
        raise failure


def create(conf: cfg.ConfigOpts) -> HttpChannel:
    """Makes the channel from the configuration.

    Raises:
        OSError: the file in ``cafile`` or ``key_file`` can't be read.
        ValueError: what is in ``key_file`` are no keys.
    """
    conf.register_opts(OPTS, GROUP)
    options = conf[GROUP]
    trust = ssl.create_default_context(cafile=options.cafile)
    return HttpChannel(
        options.timeout,
        options.allow_networks,
        trust,
        options.connect_timeout,
        secrets.secret_box(conf),
    )


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options, for the reference and the sample file."""
    return [(GROUP, list(OPTS))]


def _host(url: httpx.URL) -> str:
    """The host in ASCII, without the brackets of an IPv6 address."""
    return url.raw_host.decode("ascii").strip("[]")


def _render(message: Message, target: Subscription) -> tuple[str, bytes]:
    if target.format is BodyFormat.AODH:
        return "application/json", json.dumps(aodh_body(message, target.id)).encode()
    body = cloudevents_body(message)
    return "application/cloudevents+json; charset=utf-8", json.dumps(body).encode()


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds of the header Retry-After (RFC 9110, 10.2.3); None where there is none to be read."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        seconds = float(text)
    else:
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)
