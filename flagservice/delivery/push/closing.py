"""Closes a delivery by a recorded human decision, the rarest of the three ways."""

import json
from typing import Annotated

from pydantic import Field
from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.domain.copies import DeliveryState
from flagservice.domain.errors import Conflict, NotFound
from flagservice.domain.statements import Strict
from flagservice.store import tables


class Closing(Strict):
    """Who closes it, and why. It is kept sealed."""

    decided_by: Annotated[str, Field(min_length=3, max_length=80)]
    reason: Annotated[str, Field(min_length=10, max_length=1000)]


def close(work: Work, delivery_id: str, *, closing: Closing) -> None:
    """Closes what a named person has seen to in another way; raises NotFound or Conflict."""
    asked = select(tables.DeliveryRow).where(col(tables.DeliveryRow.id) == delivery_id)
    delivery = work.session.exec(asked.with_for_update()).first()
    if delivery is None:
        raise NotFound("there is no such delivery")
    if delivery.state != DeliveryState.OPEN:
        raise Conflict("this delivery is no longer open")
    delivery.state, delivery.closed = DeliveryState.CLOSED, work.now
    delivery.data_key = work.vault.new_data_key()
    delivery.sealed = work.vault.seal_row(delivery, json.dumps(closing.model_dump()).encode())
    work.session.add(delivery)
    work.record(Deed.CLOSED, delivery=delivery.id, version=delivery.version_id)
