"""All that can be set, from the environment (`FLAGSERVICE_…`); read in `app`, passed down."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    origin: str = "flagservice.example/audit"
    """The name that signs the audit's checkpoints."""
    host: str = "127.0.0.1"
    port: int = 8080
    base_url: str = ""
    """How clients address the service; by default from host and port."""
    lease_seconds: int = Field(default=60, ge=2, le=600)
    """How long a worker's claim holds; a killed worker's deliveries wait for it to run out."""
    sandbox: bool = False
    """Synthetic people only: allows a set clock, and practices on loopback addresses."""
    clock_file: Path | None = None
    """A file with the day that it is, for demonstrations; refused outside the sandbox."""

    @property
    def database(self) -> str:
        """The database's address."""
        return self.database_url or f"sqlite:///{self.data.resolve()}/flagservice.db"

    @property
    def keys_folder(self) -> Path:
        """Where the keys are."""
        return self.keys or self.data / "keys"

    @property
    def base(self) -> str:
        """The address that clients use, without a slash at its end."""
        return (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")
