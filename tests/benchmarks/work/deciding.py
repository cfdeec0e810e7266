"""What happens within one process, without a disk: a ruling, sealing, building and checking."""

from collections.abc import Iterator
from datetime import UTC, datetime

from fhir.resources.R4B.flag import Flag

from flagservice.domain.elements import Kind
from flagservice.fhir.flags import CopyIdentity, build
from flagservice.fhir.writing import to_bytes
from flagservice.intake.rulebook import Rulebook
from flagservice.policy.case import every_case
from flagservice.policy.disclosure import disclose
from flagservice.policy.ruling import Ruling, rule_on
from flagservice.store.sealing.keyrings import LocalKeyRing
from flagservice.store.sealing.pseudonyms import LocalPseudonymKeys
from flagservice.store.sealing.vault import Vault
from tests.benchmarks.measuring import Figure, Repeated, compare
from tests.generated import records, said
from tests.world import the_rulebook


def figures() -> Iterator[Figure]:
    """One ruling; sealing and opening one flag; building and checking one flag."""
    yield _ruling()
    yield _sealing()
    yield _building()


def _ruling() -> Figure:
    policy = the_rulebook().policies[Kind.CHILD_PROTECTION]
    case = next(every_case(Kind.CHILD_PROTECTION))
    return compare(
        "rule on one case, all elements",
        Repeated(lambda: rule_on(policy, case), 2_000),
        against="a dictionary look-up",
        theirs=Repeated(lambda: policy.placement_of[case], 20_000),
    )


def _sealing() -> Figure:
    rulebook = the_rulebook()
    ruling, copy = _placed(rulebook)
    flag = to_bytes(build(disclose(ruling, said(ruling, rulebook)), copy), rulebook.profiles)
    ring = LocalKeyRing({"k1": bytes(range(32))}, "k1")
    vault = Vault(ring, LocalPseudonymKeys({1: bytes(range(1, 33))}))
    key = vault.new_data_key()

    def sealed_and_opened() -> bytes:
        sealed = vault.seal(key, flag, table="version", row="r", version=1)
        return vault.open(key, sealed, table="version", row="r", version=1)

    return compare(
        "seal and open one flag",
        Repeated(sealed_and_opened, 5_000),
        against="handing its bytes on",
        theirs=Repeated(lambda: flag, 50_000),
    )


def _building() -> Figure:
    rulebook = the_rulebook()
    ruling, copy = _placed(rulebook)
    disclosure = disclose(ruling, said(ruling, rulebook))
    written = to_bytes(build(disclosure, copy), rulebook.profiles)
    return compare(
        "build one flag, check it by model and profile, write it",
        Repeated(lambda: to_bytes(build(disclosure, copy), rulebook.profiles), 300),
        against="fhir.resources: read it, write it",
        theirs=Repeated(lambda: Flag.model_validate_json(written).model_dump_json(), 300),
    )


def _placed(rulebook: Rulebook) -> tuple[Ruling, CopyIdentity]:
    """A child's copy of a child protection plan: the flag that says most."""
    ruling = records(Kind.CHILD_PROTECTION, rulebook)["child"]
    return ruling, CopyIdentity("1" * 32, "2" * 32, "9990548609", datetime(2022, 1, 5, tzinfo=UTC))
