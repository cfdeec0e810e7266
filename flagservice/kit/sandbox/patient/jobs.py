"""Remembers the exports that readers asked for."""

import threading
import uuid

from ..outcomes import not_found


class Jobs:
    """The exports: each is ready from the second look on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looks: dict[str, tuple[str, int]] = {}

    def start(self, nhs_number: str) -> str:
        """Returns a new job's id, which cannot be guessed."""
        job = str(uuid.uuid4())
        with self._lock:
            self._looks[job] = (nhs_number, 0)
        return job

    def ready(self, job: str, *, nhs_number: str) -> bool:
        """Returns whether the job is ready; raises a refusal for another reader."""
        with self._lock:
            owner, looks = self._looks.get(job, ("", 0))
            if owner != nhs_number:
                raise not_found()
            self._looks[job] = (owner, looks + 1)
            return looks > 0

    def end(self, job: str) -> None:
        """Forgets the job."""
        with self._lock:
            self._looks.pop(job, None)
