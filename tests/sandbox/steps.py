"""The steps that the sandbox's tests are told in: its tenants, and all that one can read."""

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import anyio
import httpx
from joserfc.jwk import ECKey, RSAKey

from flagservice.app.sandbox.dispatch import Sandbox
from flagservice.app.sandbox.furnishing import add_tenant
from flagservice.app.sandbox.scenarios import scenarios
from flagservice.app.sandbox.tenants import FACES, Tenant, Tenants
from flagservice.app.sandbox.worlds import ServedTenant
from flagservice.domain.codes import CATEGORY_CODES
from flagservice.domain.days.intervals import day_after
from flagservice.settings import Settings
from tests.api.answers import FHIR, resources, then_in_its_envelope
from tests.api.steps import BASE, Client, an_ec_key

TASK_OR_FLAG = ("Flag", "Task")
_CLOCKS = ("3 months", "6 months", "12 months", "45 working days")
_CATEGORIES = {coding.code: category for category, coding in CATEGORY_CODES.items()}


class Box:
    """A whole sandbox in this process, spoken to as its clients do."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data=folder, base_url=BASE)
        self.app = Sandbox(self.settings)
        everybody = Tenants.of(self.settings).everybody()
        self.tenants = {one.name: Tried(self, one) for one in everybody}

    @property
    def acme(self) -> "Tried":
        return self.tenants["acme"]

    @property
    def bradford(self) -> "Tried":
        return self.tenants["bradford"]

    def given_a_tenant(self, name: str, key: RSAKey | ECKey | None = None) -> "Tried":
        return Tried(self, given_a_tenant(self.settings, name, key), key or an_ec_key())

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request, as `tests.api.steps.Service` sends it."""
        return self.send_together((method, path, more))[0]

    def send_together(self, *asked: tuple[str, str, dict[str, Any]]) -> list[httpx.Response]:
        answers: list[httpx.Response] = []

        async def one(client: httpx.AsyncClient, method: str, path: str, more: Any) -> None:
            answers.append(await client.request(method, path, **more))

        async def all_of_them() -> None:
            transport = httpx.ASGITransport(app=self.app)
            async with (
                httpx.AsyncClient(transport=transport, base_url=BASE) as client,
                anyio.create_task_group() as together,
            ):
                for method, path, more in asked:
                    together.start_soon(one, client, method, path, more)

        anyio.run(all_of_them)
        for answer in answers:
            then_in_its_envelope(answer)
        return answers


def given_a_tenant(settings: Settings, name: str, key: RSAKey | ECKey | None = None) -> Tenant:
    pem = (key or an_ec_key()).as_pem(private=False).decode()
    return add_tenant(settings, name, public_key=pem)


@dataclass
class Tried:
    """A tenant, and the clients that it was given."""

    box: Box
    tenant: Tenant
    key: RSAKey | ECKey = field(default_factory=an_ec_key, repr=False)

    @cached_property
    def clients(self) -> dict[str, Client]:
        return {
            face: Client(self.box, client_id, self.key, FACES[face][0])
            for face, client_id in self.tenant.clients.items()
        }

    @property
    def practice(self) -> Client:
        return self.clients["gp-system"]

    @property
    def standing(self) -> ServedTenant:
        """Where the sandbox itself has this tenant."""
        return self.box.app._found(self.practice.id)

    def resets(self) -> httpx.Response:
        return self.practice.calls("POST", "/sandbox/$reset")

    def reads_everything(self) -> dict[str, bytes]:
        """The bytes of whatever this tenant's clients can ask for without changing anything."""
        found = {
            f"{face} {type_} {one.name}": self.clients[face].searches(one.nhs_number, type_).content
            for face in ("gp-system", "gp-system-second")
            for type_ in TASK_OR_FLAG
            for one in scenarios().people.values()
        }
        for face in ("practice-lead", "childrens-services", "police"):
            found[f"{face} holds"] = self.clients[face].gets("/holds").content
        found["receipt"] = self.clients["police"].gets("/receipts/SBX-HELD").content
        return found


def nhs_number(name: str) -> str:
    return scenarios().people[name].nhs_number


def seen(client: Client, name: str, today: date) -> list[str]:
    """What a search for this person gives a practice, in the words of `scenarios.toml`, counted."""
    found = [
        resource
        for type_ in TASK_OR_FLAG
        for resource in resources(client.searches(nhs_number(name), type_))
    ]
    return sorted(told(resource, today) for resource in found)


def told(resource: dict[str, Any], today: date) -> str:
    """One resource as `scenarios.toml` says it."""
    kind, status = resource["resourceType"], resource["status"]
    parts = [f"{kind} {status} {resource['code']['coding'][0]['code']}"]
    codes = [coding["code"] for one in resource.get("category", ()) for coding in one["coding"]]
    parts += [f"category {_CATEGORIES[code]}" for code in codes if code in _CATEGORIES]
    period = resource.get("period", {})
    parts += [
        f"{word} {_day(period[name], today)}"
        for name, word in (("start", "from"), ("end", "until"))
        if name in period
    ]
    for extension in resource.get("extension", ()):
        word = extension["url"].rpartition("/")[2]
        if word in ("review-due", "expected-date"):
            name = "review" if word == "review-due" else "expected"
            parts.append(f"{name} {_day(extension['valueDate'], today)}")
    parts += [one["code"] for one in resource["meta"]["security"] if one["code"] in ("R", "V")]
    return ", ".join(parts)


def counted(line: str, today: date) -> str:
    """A line of `scenarios.toml` with its days all counted: two ways to say one day can meet."""
    for said in _CLOCKS:
        line = line.replace(f"in {said}", f"day {(day_after(today, said) - today).days}")
    return line


def _day(text: str, today: date) -> str:
    return f"day {(date.fromisoformat(text) - today).days}"


def feed(client: Client) -> list[dict[str, Any]]:
    """Every resource in a practice's feed; a number that was taken back unheard has none."""
    answer = client.gets(f"{FHIR}/Flag/_history?_count=200")
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json()["entry"] if "resource" in entry]
