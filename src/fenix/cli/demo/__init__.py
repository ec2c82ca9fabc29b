"""`fenix demo`: a whole maintenance on one machine, with every part at its place.

A simulated cloud that is full, the service with its API and engine, and an application manager in
a process of its own, which talk with each other over HTTP as they do in a real cloud.
"""

from fenix.cli.demo.command import register

__all__ = ["register"]
