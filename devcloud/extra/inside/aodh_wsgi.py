"""Aodh's API for wsgi_serve.py: aodh.wsgi.api ignores sys.argv and reads /etc/aodh only."""

from aodh.api import app

application = app.build_wsgi_app()
