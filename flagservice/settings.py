"""All that can be set, from the environment (`FLAGSERVICE_…`); read in `app`, passed down."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from flagservice.api.edge.limits import Audience


class Settings(BaseSettings):
    """The defaults run one machine on SQLite below `data`."""

    model_config = SettingsConfigDict(env_prefix="FLAGSERVICE_", extra="ignore")

    home: Path = Path(__file__).parents[1]
    """Where `policies` and `profiles` are."""
    data: Path = Path("var")
    """Where the embedded default keeps its database and its keys."""
    database_url: str = ""
    """An SQLAlchemy address, such as postgresql+psycopg://…; empty means SQLite below `data`."""
    keys: Path | None = None
    """The folder of the keys; by default below `data`."""
    key_encryption_keys: SecretStr | None = None
    """The key-encryption keys as JSON, instead of the file in the keys' folder."""
    pseudonym_keys: SecretStr | None = None
    """The pseudonym keys as JSON, instead of the file in the keys' folder."""
    witness: Path | None = None
    """Where the newest signed head is kept, outside the database; by default the keys' folder.
    One for each database."""
    origin: str = "flagservice.example/audit"
    """The name that signs the audit's checkpoints."""
    host: str = "127.0.0.1"
    port: int = 8080
    base_url: str = ""
    """How clients address the service; by default from host and port."""
    tls_certificate: Path | None = None
    """The server's certificate, PEM, with what leads to its root: TLS without anybody in front."""
    tls_key: Path | None = None
    """The certificate's private key, PEM."""
    tls_client_ca: Path | None = None
    """Who signs clients' certificates, PEM: with it nobody without one gets through a handshake."""
    connections: int = Field(default=8_192, ge=1)
    """At once; fewer where descriptors would not last for the database and the rest."""
    head_seconds: float = Field(default=10, gt=0)
    """For a TLS handshake, for a first byte, and from it for a request's line and headers."""
    body_seconds: float = Field(default=30, gt=0)
    """For a request's body, from the end of its headers."""
    idle_seconds: float = Field(default=5, gt=0)
    """How long a connection stays open between an answer and the next request."""
    unread_seconds: float = Field(default=30, gt=0)
    """For taking an answer that no buffer holds any more."""
    lease_seconds: int = Field(default=60, ge=2, le=600)
    """How long a worker's claim holds; a killed worker's deliveries wait for it to run out."""
    limits: dict[Audience, Annotated[int, Field(ge=1)]] = {}
    """Requests a minute that differ from the defaults, as JSON: `{"records": 6000}`."""
    alarm_people: int = Field(default=100, ge=1)
    """More people than these, not registered with a practice that asks for them, are an alarm."""
    alarm_rejections: int = Field(default=10, ge=1)
    """More people than these, whom a practice says not to be its patients, are an alarm."""
    alarm_hours: int = Field(default=24, ge=1, le=24 * 31)
    """Within how many hours they are counted."""
    synthetic: bool = False
    """Synthetic people only: allows a set clock, and practices on loopback addresses."""
    clock_file: Path | None = None
    """A file with the day that it is, for demonstrations; refused where people may be real."""

    @property
    def database(self) -> str:
        """The database's address."""
        return self.database_url or f"sqlite:///{self.data.resolve()}/flagservice.db"

    @property
    def keys_folder(self) -> Path:
        """Where the keys are."""
        return self.keys or self.data / "keys"

    @property
    def witness_folder(self) -> Path:
        """Where signed heads are kept."""
        return self.witness or self.keys_folder

    @property
    def base(self) -> str:
        """The address that clients use, without a slash at its end."""
        scheme = "https" if self.tls_certificate else "http"
        return (self.base_url or f"{scheme}://{self.host}:{self.port}").rstrip("/")
