"""Wait until somebody consumes each of some queues.

usage: wait_consumers.py RABBIT_URL SECONDS QUEUE...

A service that listens to a queue tells nobody when it has begun to, and what is published before
may be lost to it.
"""

import sys
import time

import kombu
from amqp.exceptions import NotFound


def consumers(connection, queue):
    """How many consume it; asking for a queue that does not exist closes the channel."""
    try:
        with connection.channel() as channel:
            return channel.queue_declare(queue, passive=True).consumer_count
    except NotFound:
        return 0


def main():
    url, seconds, *queues = sys.argv[1:]
    end = time.monotonic() + float(seconds)
    with kombu.Connection(url) as connection:
        for queue in queues:
            while not consumers(connection, queue):
                if time.monotonic() > end:
                    sys.exit(f"nobody consumes {queue} after {seconds} s")
                time.sleep(0.05)


if __name__ == "__main__":
    main()
