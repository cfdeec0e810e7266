"""Where tests keep what nobody needs after them: in memory, where there is enough of it.

PostgreSQL waits for the disk at every database that it makes or drops, and every commit of ours
waits for it, too: a second each on a busy machine, for files that are removed at once.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108, each folder in it is of one process
_ENOUGH = 2 * 2**30


def fastest() -> str | None:
    """The folder to make temporary folders in; None for the usual one."""
    if not (_MEMORY.is_dir() and os.access(_MEMORY, os.W_OK)):
        return None
    return str(_MEMORY) if shutil.disk_usage(_MEMORY).free > _ENOUGH else None


@contextmanager
def a_folder(prefix: str) -> Iterator[Path]:
    """A folder until the end."""
    with tempfile.TemporaryDirectory(prefix=prefix, dir=fastest()) as name:
        yield Path(name)
