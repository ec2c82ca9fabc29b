"""Subscriptions: messages straight to a URL, without Telemetry in between."""

import uuid
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from fenix.api.auth import Caller
from fenix.api.dependencies import Identified, ServicesDep, SubscriptionId
from fenix.api.errors import TooMany, documented
from fenix.api.openapi import takes
from fenix.api.schemas.fields import ID_PATTERN, Empty
from fenix.api.schemas.subscriptions import (
    SubscriptionBody,
    SubscriptionList,
    SubscriptionView,
    TrialOutcome,
)
from fenix.api.services import Services
from fenix.api.trial import trial_message
from fenix.api.validation import Malformed, body_of
from fenix.domain import Conflict, EventType, NotFound, Subscription
from fenix.messaging import Channel, DeliveryFailed
from fenix.store import subscriptions
from fenix.store.admission import Connection, one_at_a_time

router = APIRouter(prefix="/v1/subscription", tags=["subscriptions"])


@router.post("", responses=documented(400, 401, 403, 409, 413, 429, 503), **takes(SubscriptionBody))
async def subscribe(
    services: ServicesDep,
    caller: Identified,
    body: Annotated[SubscriptionBody, Depends(body_of(SubscriptionBody))],
) -> SubscriptionView:
    """Has a project's messages posted to a URL.

    Asking again for the same gives the subscription that there is.
    """
    project = _project(body.project_id, caller, services)
    services.policy.own(caller, project)
    if set(body.event_types) != {EventType.SCHEDULED}:
        services.policy.administer(caller)
    _channel(services)
    new = Subscription(
        id=str(uuid.uuid4()),
        project_id=project,
        url=body.url,
        format=body.format,
        event_types=tuple(body.event_types),
        created_at=services.now(),
    )
    limit = services.settings.subscriptions_per_project

    def write(connection: Connection) -> Subscription:
        one_at_a_time(connection)
        existing = subscriptions.list_all(connection, project)
        for old in existing:
            if _asks_for(old) == _asks_for(new):
                return old
        if len(existing) >= limit:
            raise TooMany(f"Project {project} may have {limit} subscriptions, and has them.")
        subscriptions.add(connection, new)
        return new

    return SubscriptionView.model_validate(await services.database.write(write))


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
    everything = services.policy.is_observer(caller)
    project = project_id or (None if everything else _project(None, caller, services))
    if project is not None:
        services.policy.look(caller, project)
    found = await services.database.read(lambda c: subscriptions.list_all(c, project))
    return SubscriptionList.model_validate({"subscriptions": found})


@router.get("/{subscription}", responses=documented(400, 401, 403, 404, 503))
async def show_subscription(
    services: ServicesDep, caller: Identified, subscription: SubscriptionId
) -> SubscriptionView:
    """Shows a subscription."""
    found = await services.database.read(_finder(subscription))
    services.policy.look(caller, found.project_id)
    return SubscriptionView.model_validate(found)


@router.delete("/{subscription}", responses=documented(400, 401, 403, 404, 503))
async def unsubscribe(
    services: ServicesDep, caller: Identified, subscription: SubscriptionId
) -> Empty:
    """Ends a subscription; messages that are still on their way to it are given up."""

    def write(connection: Connection) -> None:
        services.policy.own(caller, _finder(subscription)(connection).project_id)
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
    services.policy.own(caller, found.project_id)
    message = trial_message(found, services.settings.public_endpoint, services.now())
    try:
        await _channel(services).send(message, found)
    except DeliveryFailed as error:
        return TrialOutcome(delivered=False, error=str(error))
    return TrialOutcome(delivered=True)


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
    if project is None and services.policy.is_admin(caller):
        project = services.settings.admin_project_id
    if project is None:
        raise Malformed("project_id is missing.")
    return project


def _channel(services: Services) -> Channel:
    for channel in services.channels:
        if channel.name == "http":
            return channel
    raise Conflict("The channel http is not enabled here, so nothing would be posted.")
