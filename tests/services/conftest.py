"""A connection to a real RabbitMQ, a topic on it, and a gateway before it."""

import gc
import os
from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import kombu
import pytest
from kombu.exceptions import OperationalError

from tests.services.rabbit import RABBIT, Gateway


@pytest.fixture
def broker() -> Iterator[kombu.Connection]:
    """A connection to RabbitMQ; without one the test is skipped, and fails where CI is true."""
    with kombu.Connection(RABBIT, connect_timeout=5) as connection:
        try:
            connection.ensure_connection(max_retries=0)
        except OperationalError as error:
            reason = f"no RabbitMQ at FENIX_TEST_RABBIT: {error}"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        yield connection


@pytest.fixture
def topic(broker: kombu.Connection) -> Iterator[str]:
    """A topic and an exchange, both of this name, that are nobody else's."""
    name = f"fenix-test-{uuid4().hex}"
    yield name
    channel = broker.default_channel
    channel.queue_delete(f"{name}.info")
    channel.exchange_delete(name)


@pytest.fixture
def gateway(broker: kombu.Connection) -> Iterator[Gateway]:
    with closing(Gateway(broker.hostname, broker.port or 5672)) as opened:
        yield opened
    gc.collect()  # sockets that py-amqp has left are to be noticed here, where they are expected
