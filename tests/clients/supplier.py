"""A supplier with a sandbox that runs as a process, and a token for each of its clients."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagservice.app.sandbox.furnishing import add_tenant
from flagservice.app.sandbox.scenarios import scenarios
from flagservice.app.sandbox.tenants import FACES, Tenant
from flagservice.kit.demo.stage.client import KeyedClient
from flagservice.settings import Settings
from tests.sandbox.running import a_sandbox

SYSTEM = "https://fhir.nhs.uk/Id/nhs-number"


@dataclass
class Supplier:
    """Where the sandbox is, and whoever calls it."""

    address: str
    clients: dict[str, KeyedClient]

    @property
    def fhir(self) -> str:
        return f"{self.address}/fhir/R4"

    def token(self, face: str = "gp-system") -> str:
        """One that is fresh enough."""
        return self.clients[face]._fresh_token(self.address)

    def asks(self, face: str, method: str, path: str, **more: Any) -> Any:
        """What one of the tenant's clients is answered."""
        answer = self.clients[face].call(method, f"{self.address}{path}", **more)
        return answer.raise_for_status().json()

    def resets(self) -> None:
        """The tenant's world is as the scenarios say."""
        self.clients["operator"].call("POST", f"{self.address}/sandbox/$reset").raise_for_status()


@contextmanager
def a_supplier(folder: Path, **settings: str) -> Iterator[Supplier]:
    """One whose clients are all proven by one key; the settings are the process's environment."""
    key = KeyedClient("", "key")
    pem = key.write_public_key(folder).read_text()
    tenant = add_tenant(Settings(data=folder), "a-supplier", public_key=pem)
    with ExitStack() as stack:
        clients = {face: _client(tenant, face, key) for face in FACES}
        for client in (key, *clients.values()):
            stack.callback(client._http.close)
        yield Supplier(stack.enter_context(a_sandbox(folder, **settings)), clients)


def _client(tenant: Tenant, face: str, key: KeyedClient) -> KeyedClient:
    client = KeyedClient(*FACES[face])
    client.client_id, client._key = tenant.clients[face], key._key
    return client


def patient(name: str) -> str:
    """The value of the search parameter for person of the scenarios."""
    return f"{SYSTEM}|{scenarios().people[name].nhs_number}"
