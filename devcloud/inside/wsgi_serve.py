"""Serve one OpenStack API with waitress: one process, some threads.

usage: wsgi_serve.py MODULE PORT THREADS [ARGUMENTS FOR THE SERVICE...]
"""

import importlib
import sys

import waitress


def main():
    module, port, threads, *arguments = sys.argv[1:]
    # Keystone, Nova, Neutron and Aodh parse sys.argv when their WSGI module is imported.
    sys.argv = [module, *arguments]
    application = importlib.import_module(module).application
    if "sqlalchemy.orm" in sys.modules:
        # Neutron uses an attribute that only exists once the mappers are configured, which the
        # first ORM query would do: until then GET /v2.0/ports answers 500.
        sys.modules["sqlalchemy.orm"].configure_mappers()
    waitress.serve(
        application,
        listen=f"127.0.0.1:{port}",
        threads=int(threads),
        # With waitress' defaults (100 connections) one client that leaks connections makes the
        # API accept nobody any more, without an error anywhere.
        connection_limit=1000,
        channel_timeout=120,
        asyncore_use_poll=True,
        ident=None,
    )


if __name__ == "__main__":
    main()
