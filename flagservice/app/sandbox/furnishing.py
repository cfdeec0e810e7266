"""Makes a tenant and its worlds: a whole service each, with what a supplier needs to begin."""

import threading
from functools import partial
from typing import Final

from flagservice.app import build
from flagservice.app.build import Installation
from flagservice.app.sandbox import admission, scenarios
from flagservice.app.sandbox.tenants import FACES, NOBODY, Tenant, Tenants
from flagservice.audit.log import Work
from flagservice.clients.registry import add_client
from flagservice.domain.errors import NotFound
from flagservice.settings import Settings

_BUILDING: Final = threading.Lock()
"""Migrations keep their context in a global: worlds are built one after the other."""


def add_tenant(settings: Settings, name: str, *, public_key: str) -> Tenant:
    """Returns a new tenant with its first world; raises Invalid, Conflict or NotInProduction."""
    tenants = Tenants.of(settings)
    tenant = tenants.new(name, public_key)
    try:
        furnish(tenant, settings).database.close()
        return tenants.keep(tenant)
    finally:
        tenant.discard()


def nobody(tenants: Tenants, settings: Settings) -> Tenant:
    """Returns the tenant without clients, made at the first start."""
    try:
        return tenants.named(NOBODY)
    except NotFound:
        return add_tenant(settings, NOBODY, public_key="")


def furnish(tenant: Tenant, settings: Settings) -> Installation:
    """Returns a world in its first state: clients, admitted practices, people and submissions."""
    installation = build_world(tenant, settings)
    for face in tenant.clients:
        installation.perform(partial(_add_client, installation, tenant, face))
    admission.admit(installation)
    admission.register_practices(installation)
    if tenant.clients:
        scenarios.play(installation, tenant)
    return installation


def _add_client(installation: Installation, tenant: Tenant, face: str, work: Work) -> None:
    ods, kind = FACES[face]
    add_client(
        work,
        ods,
        kind,
        desks=installation.policies.desks,
        public_key=tenant.public_key.encode(),
        client_id=tenant.clients[face],
    )


def build_world(tenant: Tenant, settings: Settings) -> Installation:
    """Returns the installation of the current world, made at its first start."""
    # The keys outlive a reset; what is witnessed of a tree goes with it.
    own = {
        "data": tenant.world,
        "keys": tenant.folder / "keys",
        "witness": tenant.world,
        "synthetic": True,
    }
    with _BUILDING:
        return build.build(settings.model_copy(update=own))
