"""What `policies/assurance/inventory.md` lists is what there is, and nothing is missing from it."""

import ast
import re

import pytest
from sqlmodel import SQLModel

import flagservice.app.serve  # noqa: F401, with it every table
from flagservice.api.access import tokens
from flagservice.api.edge.envelope import MOST_BYTES
from flagservice.api.edge.limits import DEFAULTS
from flagservice.api.records.responses import MOST
from flagservice.app import logs
from flagservice.app.keys import backlog, providers
from flagservice.audit.log import Deed
from flagservice.clients import assertions
from flagservice.clients.kinds import SCOPES
from flagservice.connections.bounds import _KEPT_FREE, Bounds
from flagservice.delivery.push import fhir_rest
from flagservice.domain.reading import DEEPEST
from flagservice.settings import Settings
from tests.house import source
from tests.house.source import HOME

INVENTORY = (HOME / "policies/assurance/inventory.md").read_text("utf-8")
LAYING_DOWN = ("domain/submissions.py", "domain/statements.py")


def test_every_table_stands_with_its_level() -> None:
    row = re.search(r"\|---\|---\|\n\| ([a-z_, ]+) \| ([a-z_, ]+) \|\n", INVENTORY)
    assert row
    listed = [set(part.split(", ")) for part in row.groups()]
    tables = SQLModel.metadata.tables
    sealed = {name for name, table in tables.items() if "sealed" in table.columns}
    assert listed == [sealed, set(tables) - sealed]


def test_every_key_stands_with_its_algorithm() -> None:
    settings = [name for name in Settings.model_fields if name.endswith("_keys")]
    named = [
        *(providers.KEY_ENCRYPTION_FILE, providers.PSEUDONYM_FILE, "audit.pem"),
        *("token.pem", tokens._OURS, ", ".join(assertions.ALGORITHMS)),
        *(f"FLAGSERVICE_{name.upper()}" for name in settings),
    ]
    assert [name for name in named if name not in INVENTORY] == []


def test_every_bound_is_the_codes() -> None:
    bounds, set_ = Bounds(), {name: one.default for name, one in Settings.model_fields.items()}
    stages = ("head_seconds", "body_seconds", "idle_seconds", "unread_seconds")
    head, body, idle, unread = (set_[stage] for stage in stages)
    most = set_["connections"]
    said = [
        *(f"{MOST_BYTES} bytes", f"JSON {DEEPEST} deep", f"{MOST} on a page"),
        *(f"{one} {rate}" for one, rate in DEFAULTS.items()),
        *(f"{int(fhir_rest.LONGEST.total_seconds())} seconds as a whole",),
        *(f"a reply of {fhir_rest.MOST_BYTES} bytes", f"batches of {backlog.BATCH} rows"),
        *(f"{bounds.line_bytes} bytes of request line", f"{bounds.header_bytes} of headers"),
        f"{bounds.headers} headers; {head:.0f} seconds for handshake and head, {body:.0f} for the",
        f"{idle:.0f} between requests, {unread:.0f} for an answer that nobody takes",
        *(f"{most} connections", f"fewer where {_KEPT_FREE} descriptors would not be left"),
        f"lives {assertions.LIFETIME} seconds",
    ]
    assert [bound for bound in said if bound not in INVENTORY] == []


def test_every_key_of_a_log_line_is_listed_and_no_other() -> None:
    line = re.search(r"Keys of a line: ([a-z_, ]+)\.", INVENTORY)
    assert line
    assert set(line[1].split(", ")) == logs.ALLOWED


def test_every_security_event_is_a_deed() -> None:
    (said,) = re.findall(r"Security events: (.*)", INVENTORY)
    assert set(re.findall(r"`([a-z-]+)`", said)) <= set(Deed)
    guarding = re.compile(r"(client|checker|approver|practice)-(added|revoked|registered|susp\w+)")
    assert {deed for deed in Deed if guarding.fullmatch(deed)} <= set(re.findall(r"`(.+?)`", said))


def test_every_connection_is_documented() -> None:
    """Whatever is set as an address stands there, and whatever begins a connection of its own."""
    addresses = [name for name in Settings.model_fields if name.endswith("_url")]
    assert addresses
    assert [name for name in addresses if f"`FLAGSERVICE_{name.upper()}`" not in INVENTORY] == []
    table = INVENTORY.partition("## Who speaks to whom")[2].partition("\n\n**")[0]
    rows = [line.split(" | ")[:2] for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 4
    assert any("worker" in from_ and "registered and admitted" in to for from_, to in rows)


def test_every_kind_of_caller_is_documented_with_its_rights() -> None:
    page = (HOME / "docs/operate/run.md").read_text("utf-8")
    assert [kind for kind in SCOPES if f"`{kind}`" not in page] == []


def rules() -> list[str]:
    """The constant words of every rule that a submission may break."""
    calls = [
        node
        for module in source.package()
        if module.name in LAYING_DOWN
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Fault", "ValueError")
    ]
    return [
        part.value
        for call in calls
        for part in ast.walk(call.args[-1])
        if isinstance(part, ast.Constant) and len(part.value) > len(" or ")
    ]


@pytest.mark.parametrize("rule", rules())
def test_every_rule_across_fields_is_documented_in_its_own_words(rule: str) -> None:
    assert rule.strip() in INVENTORY
