"""Remembers the exports that readers asked for, each only for who asked."""

import threading
import uuid

from ..outcomes import not_found


class Jobs:
    """The exports that were asked for: not ready at the first look, ready at the second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looks: dict[str, tuple[str, int]] = {}

    def start(self, nhs_number: str) -> str:
        """A job's id, which nobody can guess."""
        job = str(uuid.uuid4())
        with self._lock:
            self._looks[job] = (nhs_number, 0)
        return job

    def ready(self, job: str, *, nhs_number: str) -> bool:
        """Is it ready for the one whose job it is? For anybody else there is none."""
        with self._lock:
            owner, looks = self._looks.get(job, ("", 0))
            if owner != nhs_number:
                raise not_found()
            self._looks[job] = (owner, looks + 1)
            return looks > 0

    def end(self, job: str) -> None:
        """The reader has what it came for."""
        with self._lock:
            self._looks.pop(job, None)
