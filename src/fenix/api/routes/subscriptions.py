"""Subscriptions: messages straight to a URL, without Telemetry in between."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from fenix.api.auth import Caller
from fenix.api.dependencies import Identified, ServicesDep, SubscriptionId
from fenix.api.detail import fields_of
from fenix.api.errors import documented
from fenix.api.openapi import takes
from fenix.api.policies import ADMIN
from fenix.api.schemas.fields import ID_PATTERN, Empty
from fenix.api.schemas.subscriptions import (
    SecretBody,
    SubscriptionBody,
    SubscriptionList,
    SubscriptionSecret,
    SubscriptionView,
    TrialOutcome,
)
from fenix.api.services import Services
from fenix.api.subscription_secrets import SubscriptionSecrets
from fenix.api.trial import trial_message
from fenix.api.validation import Malformed, body_of
from fenix.domain import Conflict, EventType, NotFound, Subscription, TooMany
from fenix.messaging import Channel, DeliveryFailed
from fenix.store import subscriptions
from fenix.store.admission import Connection, one_at_a_time

router = APIRouter(prefix="/v1/subscription", tags=["subscriptions"])

TRIAL_SECONDS = 30.0
"""How long a receiver may take to answer a test message; the caller waits for it."""


@router.post("", responses=documented(400, 401, 403, 409, 413, 429, 503), **takes(SubscriptionBody))
async def subscribe(
    services: ServicesDep,
    caller: Identified,
    body: Annotated[SubscriptionBody, Depends(body_of(SubscriptionBody))],
) -> SubscriptionSecret:
    """Has a project's messages posted to a URL.

    Asking again for the same gives the subscription that there is; a `secret` that is not its own
    replaces its own.
    """
    project = _project(body.project_id, caller, services)
    services.policy.authorize(caller, "subscription:create", project)
    if set(body.event_types) != {EventType.SCHEDULED}:
        services.policy.authorize(caller, "subscription:create_infrastructure")
    _channel(services)
    secrets = SubscriptionSecrets(services)
    new, told = secrets.given(
        Subscription(
            id=str(uuid.uuid4()),
            project_id=project,
            url=body.url,
            format=body.format,
            event_types=tuple(body.event_types),
            created_at=services.now(),
        ),
        body.secret,
    )
    limit = services.settings.subscriptions_per_project

    def write(connection: Connection) -> tuple[Subscription, str | None]:
        one_at_a_time(connection)
        existing = subscriptions.list_all(connection, project)
        for old in existing:
            if _asks_for(old) == _asks_for(new):
                if body.secret is None or secrets.has(old, body.secret):
                    return old, None
                changed, _ = secrets.replaced(old, body.secret)
                subscriptions.save_secrets(connection, changed)
                return changed, None
        if len(existing) >= limit:
            raise TooMany(
                f"Project {project} has {limit} subscriptions already, which is the limit "
                "[api] subscriptions_per_project."
            )
        subscriptions.add(connection, new)
        return new, told

    made, told = await services.database.write(write)
    return SubscriptionSecret.model_validate(_fields(made, services) | {"secret": told})


@router.get("", responses=documented(400, 401, 403, 503))
async def list_subscriptions(
    services: ServicesDep,
    caller: Identified,
    project_id: Annotated[
        str | None,
        Query(pattern=ID_PATTERN, description="Only this project's; absent: the token's, or all."),
    ] = None,
) -> SubscriptionList:
    """Lists a project's subscriptions; those of all projects for who may see everything."""
    everything = services.policy.allows(caller, "subscription:list_all")
    project = project_id or (None if everything else _project(None, caller, services))
    if project is not None:
        services.policy.authorize(caller, "subscription:list", project)
    found = await services.database.read(lambda c: subscriptions.list_all(c, project))
    shown = [_fields(one, services) for one in found]
    return SubscriptionList.model_validate({"subscriptions": shown})


@router.get("/{subscription}", responses=documented(400, 401, 403, 404, 503))
async def show_subscription(
    services: ServicesDep, caller: Identified, subscription: SubscriptionId
) -> SubscriptionView:
    """Shows a subscription."""
    found = await services.database.read(_finder(subscription))
    services.policy.authorize(caller, "subscription:show", found.project_id)
    return SubscriptionView.model_validate(_fields(found, services))


@router.post(
    "/{subscription}/secret",
    responses=documented(400, 401, 403, 404, 409, 413, 503),
    **takes(SecretBody),
)
async def replace_secret(
    services: ServicesDep,
    caller: Identified,
    subscription: SubscriptionId,
    body: Annotated[SecretBody, Depends(body_of(SecretBody))],
) -> SubscriptionSecret:
    """Gives a subscription another secret.

    For a while messages are signed with both, so that the receiver can change over without losing
    one. A subscription without a secret gets its first one, and is signed from then on.
    """
    secrets = SubscriptionSecrets(services)

    def write(connection: Connection) -> tuple[Subscription, str | None]:
        one_at_a_time(connection)
        found = _finder(subscription)(connection)
        services.policy.authorize(caller, "subscription:replace_secret", found.project_id)
        changed, told = secrets.replaced(found, body.secret, body.keep_old)
        subscriptions.save_secrets(connection, changed)
        return changed, told

    changed, told = await services.database.write(write)
    return SubscriptionSecret.model_validate(_fields(changed, services) | {"secret": told})


@router.delete("/{subscription}", responses=documented(400, 401, 403, 404, 503))
async def unsubscribe(
    services: ServicesDep, caller: Identified, subscription: SubscriptionId
) -> Empty:
    """Ends a subscription; messages that are still on their way to it are given up."""

    def write(connection: Connection) -> None:
        found = _finder(subscription)(connection)
        services.policy.authorize(caller, "subscription:delete", found.project_id)
        subscriptions.remove(connection, subscription)

    await services.database.write(write)
    return Empty()


@router.post("/{subscription}/test", responses=documented(400, 401, 403, 404, 409, 503))
async def send_test(
    services: ServicesDep, caller: Identified, subscription: SubscriptionId
) -> TrialOutcome:
    """Posts a test message to the URL at once, and tells what became of it.

    It has the form of a `maintenance.scheduled` message with state `TEST`, which no session ever
    sends, a session id of zeros, and wants no reply. A manager that refuses states it does not
    know will answer with an error, which shows that the way to it is open.
    """
    found = await services.database.read(_finder(subscription))
    services.policy.authorize(caller, "subscription:test", found.project_id)
    message = trial_message(found, services.settings.public_endpoint, services.now())
    try:
        with services.tests.one(found.project_id):
            async with asyncio.timeout(TRIAL_SECONDS):
                await _channel(services).send(message, found)
    except DeliveryFailed as error:
        return TrialOutcome(delivered=False, error=str(error))
    except TimeoutError:
        why = f"the receiver did not answer within {TRIAL_SECONDS:g} s"
        return TrialOutcome(delivered=False, error=why)
    if found.failing_since:
        await services.database.write(subscriptions.recovered(found.id))
    return TrialOutcome(delivered=True)


def _fields(subscription: Subscription, services: Services) -> dict[str, Any]:
    """What is shown of a subscription."""
    give_up = timedelta(seconds=services.settings.delivery_give_up)
    return fields_of(subscription) | {
        "secret": None,
        "signed": subscription.secret is not None,
        "health": subscription.health(services.now(), give_up),
    }


def _asks_for(subscription: Subscription) -> object:
    return subscription.url, subscription.format, frozenset(subscription.event_types)


def _finder(subscription_id: str) -> Callable[[Connection], Subscription]:
    def find(connection: Connection) -> Subscription:
        found = subscriptions.get(connection, subscription_id)
        if found is None:
            raise NotFound("subscription", subscription_id)
        return found

    return find


def _project(given: str | None, caller: Caller, services: Services) -> str:
    project = given or caller.project_id
    if project is None and services.policy.allows(caller, ADMIN):
        project = services.settings.admin_project_id
    if project is None:
        raise Malformed("project_id is missing.")
    return project


def _channel(services: Services) -> Channel:
    for channel in services.channels:
        if channel.name == "http":
            return channel
    raise Conflict("The channel http is not enabled here, so nothing would be posted.")
