"""Nothing changes what is told until two different named people have signed for it."""

from base64 import b64encode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.domain.elements import Kind
from flagservice.domain.errors import Conflict, Forbidden, Invalid, NotFound, Refusal
from flagservice.intake.policies import approval, in_force
from flagservice.intake.policies.approval import Approval
from flagservice.intake.policies.in_force import PoliciesInForce
from flagservice.policy.table import UnusablePolicy, read
from flagservice.store import tables
from tests.intake.people import rows
from tests.intake.policies.officers import (
    AMED,
    BRUCE,
    CP,
    KEYS,
    NARROWER,
    Service,
    given_a_plan_and_approvers,
    public,
    signed,
    why_of,
)
from tests.policy.approved import changed
from tests.world import World


@pytest.fixture
def service(any_world: World) -> Service:
    return given_a_plan_and_approvers(any_world)


def test_one_approval_is_not_enough_and_one_person_counts_once(service: Service) -> None:
    service.proposes(NARROWER)
    with pytest.raises(Forbidden, match="0 of the 2 approvals"):
        service.enforces()
    service.approves(AMED)
    with pytest.raises(Conflict, match="another person must"):
        service.approves(AMED)
    with pytest.raises(Forbidden, match="1 of the 2 approvals"):
        service.enforces()
    assert service.rules_by()[Kind.CHILD_PROTECTION] == 1
    service.approves(BRUCE)
    service.enforces()
    changes = rows(service.world, of=tables.PolicyChangeRow)
    by = {service.do(lambda work, c=c: why_of(work, c)).get("by") for c in changes}
    assert by == {None, "Dr N. Amed (Caldicott Guardian), Ms L. Bruce (safeguarding lead)"}


def test_an_approver_who_is_none_any_more_no_longer_counts(service: Service) -> None:
    service.proposes(NARROWER)
    service.approves(AMED)
    service.approves(BRUCE)
    service.do(lambda work: approval.revoke_approver(work, BRUCE))
    with pytest.raises(Forbidden, match="1 of the 2 approvals"):
        service.enforces()
    with pytest.raises(Forbidden, match="no approver any more"):
        service.approves(BRUCE)


def test_a_signature_over_something_else_is_refused(service: Service) -> None:
    service.proposes(NARROWER)
    with pytest.raises(Forbidden, match="signature"):
        service.approves(AMED, text=CP)
    stolen = replace(signed(AMED, "approve", 2, text=NARROWER), name=BRUCE)
    with pytest.raises(Forbidden, match="signature"):
        service.do(lambda work: approval.approve(work, Kind.CHILD_PROTECTION, 2, approval=stolen))
    for junk in ("", "not base64!", "AAAA"):
        with pytest.raises(Forbidden, match="signature"):
            service.do(
                lambda work, junk=junk: approval.approve(
                    work, Kind.CHILD_PROTECTION, 2, approval=Approval(AMED, junk)
                )
            )
    with pytest.raises(NotFound, match="no approver"):
        service.do(
            lambda work: approval.approve(
                work, Kind.CHILD_PROTECTION, 2, approval=Approval("Nobody", "AAAA")
            )
        )


def test_an_approval_written_straight_into_the_database_does_not_count(service: Service) -> None:
    service.proposes(NARROWER)
    service.approves(AMED)

    def forge(work: Work) -> None:
        work.record(Deed.POLICY_READ)
        bruce = work.session.exec(
            select(tables.ApproverRow).where(
                col(tables.ApproverRow.pseudonym)
                == work.vault.pseudonym(BRUCE.casefold(), purpose="approver")
            )
        ).one()
        (real,) = work.session.exec(select(tables.PolicyApprovalRow)).all()
        work.session.add(
            tables.PolicyApprovalRow(
                id="f" * 32,
                digest=real.digest,
                approver_id=bruce.id,
                at=work.now,
                signature=real.signature,
            )
        )

    service.do(forge)
    with pytest.raises(Forbidden, match="1 of the 2 approvals"):
        service.enforces()


@pytest.mark.parametrize(
    ("name", "role", "key", "refusal"),
    [
        ("", "lead", public(KEYS[AMED]), Invalid),
        ("Dr New", " ", public(KEYS[AMED]), Invalid),
        ("Dr New", "lead", b"not a key", Invalid),
        ("Dr New", "lead", public(generate_private_key(SECP256R1())), Invalid),
        ("Dr New", "lead", public(KEYS[AMED]), Conflict),
        ("dr  n. amed", "lead", public(Ed25519PrivateKey.generate()), Conflict),
    ],
)
def test_an_approver_is_one_person_with_a_name_a_role_and_a_key_of_their_own(
    service: Service, name: str, role: str, key: bytes, refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        service.do(lambda work: approval.add_approver(work, name=name, role=role, public_key=key))


def test_what_was_not_proposed_cannot_be_approved_and_a_version_has_one_text(
    service: Service,
) -> None:
    with pytest.raises(NotFound, match="v2 was not proposed"):
        service.approves(AMED)
    service.proposes(NARROWER)
    with pytest.raises(UnusablePolicy, match="with another text"):
        service.proposes(NARROWER.replace('"A child protection plan', '"Some protection plan'))
    with pytest.raises(UnusablePolicy, match="nothing of somebody else's"):
        service.proposes(changed(NARROWER, "CP-P10", 'desk = "neutral"', 'desk = "agency"'))


@pytest.mark.parametrize("altered", ["approved", "in force"])
def test_a_text_that_was_altered_after_it_was_signed_rules_nothing(
    service: Service, altered: str
) -> None:
    """The digest was signed; whoever can write to the database changes the text beside it."""
    service.proposes(NARROWER)
    service.approves(AMED)
    service.approves(BRUCE)
    if altered == "in force":
        service.enforces()

    def alter(work: Work) -> None:
        work.record(Deed.POLICY_READ)
        row = in_force.proposed_text(work, Kind.CHILD_PROTECTION, 2)
        row.text = CP.replace("version = 1", "version = 2", 1)
        work.session.add(row)

    service.do(alter)
    service.in_force = PoliciesInForce(service.in_force.desks, service.in_force.profiles)
    deed = service.rules_by if altered == "in force" else service.enforces
    with pytest.raises(UnusablePolicy, match="is not the one that was signed"):
        deed()


def test_a_text_that_leaks_rules_nothing_even_where_it_is_in_force(service: Service) -> None:
    """Somebody wrote it into the database with a digest of its own: it is proved each time."""
    leaks = changed(CP, "CP-P10", 'desk = "neutral"', 'desk = "agency"')
    with pytest.raises(UnusablePolicy, match="nothing of somebody else's"):
        service.do(lambda work: _smuggled(work, leaks))


def _smuggled(work: Work, text: str) -> None:
    policy = read(text.replace("version = 1", "version = 2", 1))
    in_force.keep_text(work, policy)
    in_force.policy_by(work, policy.digest)


def test_a_third_approver_needs_the_word_of_one_who_is_there(service: Service) -> None:
    """Else whoever runs the service could be as many people as an approval takes."""
    key = Ed25519PrivateKey.generate()

    def add(vouched: Approval | None) -> None:
        service.do(
            lambda work: approval.add_approver(
                work, name="Dr New", role="lead", public_key=public(key), vouched=vouched
            )
        )

    for nobodys in (None, Approval(AMED, "AAAA"), Approval("Dr New", "AAAA")):
        with pytest.raises((Forbidden, NotFound)):
            add(nobodys)
    said = approval.vouching_text("Dr New", approval.read_public_key(public(key)))
    add(Approval(BRUCE, b64encode(KEYS[BRUCE].sign(said)).decode()))
    assert len(rows(service.world, of=tables.ApproverRow)) == 3


def test_every_text_of_a_kind_is_listed_by_version(service: Service) -> None:
    service.proposes(NARROWER)

    def listed(work: Work) -> list[int]:
        work.record(Deed.POLICY_READ)
        return [text.version for text in in_force.texts_of_kind(work, Kind.CHILD_PROTECTION)]

    assert service.do(listed) == [1, 2]
