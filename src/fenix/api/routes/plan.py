"""Plans: what a maintenance session would do, without doing it."""

from typing import Annotated

from fastapi import APIRouter, Depends

from fenix.api import planning
from fenix.api.auth import Caller
from fenix.api.dependencies import ServicesDep, may
from fenix.api.errors import documented
from fenix.api.openapi import takes
from fenix.api.schemas.plan import PlanBody, PlanView
from fenix.api.validation import body_of

router = APIRouter(prefix="/v1/plan", tags=["plans"])


@router.post("", responses=documented(400, 401, 403, 409, 413, 429, 503), **takes(PlanBody))
async def make_plan(
    services: ServicesDep,
    caller: Annotated[Caller, Depends(may("plan:create"))],
    body: Annotated[PlanBody, Depends(body_of(PlanBody))],
) -> PlanView:
    """Shows what a maintenance session would do, without doing it.

    It takes the body of `POST /v1/maintenance`, checked in the same way, and in `assume` how long
    things are expected to take. The workflow is carried out on a copy of the cloud with
    applications that agree to everything. Nothing is changed, nobody is told. A plan of a large
    cloud takes minutes; each process of the API makes one at a time.
    """
    plan = await planning.make_plan(
        services,
        body.request(services.settings.session_options),
        body.assumptions(services.settings.assumptions),
        body.assume.model_fields_set,
    )
    return PlanView.model_validate(plan)
