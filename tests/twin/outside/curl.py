"""Requests as lines for a shell, so that whoever reads of a leak can follow it by hand."""

import shlex

from tests.twin.outside.asking import HOST, Request


def line(request: Request) -> str:
    """One request. A token of ours is named, not shown: it is over in five minutes."""
    words = ["curl", "-i", "--path-as-is", "-X", request.method]
    for name, value in request.headers:
        words += ["-H", f"{name}: {_named(value, request.who)}"]
    if request.body:
        words += ["--data-binary", request.body.decode("latin-1")]
    return f"{_joined(words)} {shlex.quote(f'https://{HOST}{request.target}')}  # {request.who}"


def _joined(words: list[str]) -> str:
    """A variable is left for the shell to fill in; all else is quoted."""
    return " ".join(f'"{word}"' if "$TOKEN" in word else shlex.quote(word) for word in words)


def _named(value: str, who: str) -> str:
    scheme, _, token = value.partition(" ")
    ours = scheme == "Bearer" and token.count(".") == 2 and len(token) > 200
    return f"Bearer $TOKEN_OF_{who.replace(' ', '_').replace('-', '_')}" if ours else value
