"""Three families, played through the public API by a client that knows nothing of the inside.

It starts the service and each practice's GP system as processes, posts what each agency would send,
and checks what each practice really received, byte by byte.
"""

from flagservice.kit.demo.play import run

__all__ = ["run"]
