"""Runs the service's commands as its operator does: many in one process."""

import shlex
import subprocess
import sys
from dataclasses import dataclass

Words = tuple[str, ...]


class CommandFailed(Exception):
    """A command of the operator failed; the message is what it said."""


@dataclass(frozen=True)
class Operator:
    """The operator of the service, at its command line."""

    environment: dict[str, str]

    def run(self, *commands: Words) -> list[str]:
        """Runs the commands in order and returns the lines that they print; raises CommandFailed.

        `flagservice operate` is one process for all of them; each is a unit of work.
        """
        done = subprocess.run(
            [sys.executable, "-m", "flagservice", "operate"],
            input="".join(f"{shlex.join(words)}\n" for words in commands),
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CommandFailed(done.stderr.strip()[-400:] or done.stdout.strip()[-400:])
        return done.stdout.splitlines()
