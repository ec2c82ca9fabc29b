"""HTTP, version 1: routes, what goes over the wire, who calls and what they may do."""

from fenix.api.app import create_app
from fenix.api.auth import Authenticator, Caller, NoAuthenticator, UnsafeListen, check_listen
from fenix.api.policy import BadPolicy, Policy
from fenix.api.rates import Rates
from fenix.api.services import ApiSettings, Services, authenticator

__all__ = [
    "ApiSettings",
    "Authenticator",
    "BadPolicy",
    "Caller",
    "NoAuthenticator",
    "Policy",
    "Rates",
    "Services",
    "UnsafeListen",
    "authenticator",
    "check_listen",
    "create_app",
]
