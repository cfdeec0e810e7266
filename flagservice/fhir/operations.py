"""The operations that GP systems call, as OperationDefinitions. `profiles/` is written from here.

https://hl7.org/fhir/R4/operationdefinition.html
"""

from typing import Any, Final

from flagservice.fhir.flags import CANONICAL

_ONE: Final = {"min": 1, "max": "1"}
_MANY: Final = {"min": 1, "max": "*"}
_FEW: Final = {"min": 0, "max": "1"}
Json = dict[str, Any]


def operation_definitions() -> dict[str, Json]:
    """Returns each definition by its id."""
    return {"acknowledge": _acknowledge(), "digest": _digest()}


def _acknowledge() -> Json:
    return _definition(
        "acknowledge",
        title="Say what became of versions that were received",
        description="filed closes what is owed of these versions; filed-not-shown does so, too,"
        " and keeps that the patient's view was seen not to show them. queried asks the agency: the"
        " reason reaches it as a code, and the practice is not named. rejected says that it is"
        " not this practice's patient: what it has is taken back, and the register is asked"
        " again. The same answer twice counts once. No other part is read: free text is"
        " refused.",
        affectsState=True,
        system=True,
        type=False,
        parameter=[
            _in("version", "string", often=_MANY, says="meta.versionId, as received."),
            _in(
                "outcome",
                "code",
                often=_FEW,
                says="filed (if absent), filed-not-shown, queried or rejected.",
            ),
            _in(
                "reason",
                "code",
                often=_FEW,
                says="Of a query alone: desk-not-reached, thought-ended, appears-twice,"
                " does-not-fit-the-record, review-overdue.",
            ),
            _out("acknowledged", "integer", says="For how many of the versions this was news."),
        ],
    )


def _digest() -> Json:
    return _definition(
        "digest",
        title="What the practice should hold as active",
        description="A GP system makes the same hash of what it holds, and finds by itself that"
        " something was lost: SHA-256, in hexadecimal, over one line [id]/[versionId] with a"
        " line feed for each resource whose status is active (Task: requested), the lines sorted"
        " by their bytes.",
        affectsState=False,
        system=False,
        type=True,
        resource=["Flag", "Task"],
        parameter=[
            _out("count", "unsignedInt", says="How many are active."),
            _out("sha256", "string", says="The hash of them."),
            _out("last", "unsignedInt", says="The last number of the feed, at this very moment."),
        ],
    )


def _definition(code: str, *, title: str, description: str, **more: Any) -> Json:
    return {
        "resourceType": "OperationDefinition",
        "id": code,
        "url": f"{CANONICAL}/OperationDefinition/{code}",
        "version": "0.1.0",
        "name": code.capitalize(),
        "title": title,
        "status": "draft",
        "kind": "operation",
        "date": "2026-11-23",
        "description": description,
        "code": code,
        "instance": False,
        **more,
    }


def _in(name: str, type_: str, *, often: Json, says: str) -> Json:
    return {"name": name, "use": "in", **often, "documentation": says, "type": type_}


def _out(name: str, type_: str, *, says: str) -> Json:
    return {"name": name, "use": "out", **_ONE, "documentation": says, "type": type_}
