"""Writes down every request and answer, without tokens, to check a result against."""

import hashlib
import json
from dataclasses import dataclass, field


@dataclass
class Transcript:
    """Lines in order; the digest of all stands in the signed result."""

    lines: list[str] = field(default_factory=list)

    def add(self, reader: str, line: str, *, status: int, body: str) -> None:
        """Adds one exchange of a reader."""
        said = {"reader": reader, "asked": line, "status": status, "body": body}
        self.lines.append(json.dumps(said, sort_keys=True))

    @property
    def requests(self) -> int:
        """Returns how many requests were made."""
        return len(self.lines)

    @property
    def text(self) -> str:
        """Returns the lines as one text."""
        return "".join(f"{line}\n" for line in self.lines)

    @property
    def digest(self) -> str:
        """Returns the SHA-256 of the text."""
        return "sha256:" + hashlib.sha256(self.text.encode()).hexdigest()
