"""Lets a person's records follow their registration, in one commit."""

from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.ruling.rerule import rerule
from flagservice.people import persons
from flagservice.people.registrations import Registration, keep_registration
from flagservice.store import tables


def update_registration(
    work: Work, nhs_number: str, *, registration: Registration, rulebook: Rulebook
) -> bool:
    """Keeps what the register says, and rules again if it is news. Returns whether it is."""
    # A submission that names the person at this moment waits for us, or we for it.
    person = persons.lock(work, [nhs_number])[nhs_number]
    news = keep_registration(work, nhs_number, registration)
    work.record(Deed.REGISTER_LOADED, news=int(news))
    if news and _is_named(work, person):
        rerule(work, [person], rulebook=rulebook)
    return news


def _is_named(work: Work, person: tables.PersonRow) -> bool:
    asked = select(tables.NamingRow).where(col(tables.NamingRow.person_id) == person.id)
    return work.session.exec(asked).first() is not None
