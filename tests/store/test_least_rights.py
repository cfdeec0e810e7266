"""An account that may only read and write rows is enough, once the schema is there."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from tests.intake.people import a_plan, child, given_the_family
from tests.world import COUNCIL, World

ACCOUNT = "flagservice_rows"
RIGHTS = f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ACCOUNT}"


@pytest.fixture
def as_rows_alone(migrated_postgresql_url: str) -> Iterator[str]:
    """The address of a database that is at its newest schema, for an account with those rights."""
    owner = create_engine(migrated_postgresql_url, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text(f"CREATE ROLE {ACCOUNT} LOGIN"))
        connection.execute(text(RIGHTS))
        connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {ACCOUNT}"))
    yield (
        make_url(migrated_postgresql_url)
        .set(username=ACCOUNT)
        .render_as_string(hide_password=False)
    )
    with owner.connect() as connection:
        connection.execute(text(f"DROP OWNED BY {ACCOUNT}"))
        connection.execute(text(f"DROP ROLE {ACCOUNT}"))
    owner.dispose()


def test_the_service_starts_and_works_with_the_rights_to_rows_alone(as_rows_alone: str) -> None:
    world = World(as_rows_alone)
    world.database.upgrade()
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child()))
    with (
        pytest.raises(ProgrammingError, match="owner"),
        world.database.engine.begin() as connection,
    ):
        connection.execute(text("ALTER TABLE leaf ADD COLUMN more text"))
    world.close()
