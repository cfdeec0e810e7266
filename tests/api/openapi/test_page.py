"""The API's page: open, the same for everybody, from files of the installation, and read-only."""

import hashlib
import json
import re
import uuid
from dataclasses import replace
from importlib.resources import files

import httpx
import pytest

from flagservice.api.edge.limits import Audience, Limits
from tests.api.answers import then_refused
from tests.api.steps import Cast, a_plan

LOADED = ("/docs/page.js", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css")
OPEN = ("/docs", *LOADED, "/openapi.json")
SWAGGER_UI = {
    "swagger-ui-bundle.js": "3f6abf70480db7e07914df4c98a77385f22ea585eaf457a3e6415ba0eae2d167",
    "swagger-ui.css": "c3cfe8248c4b0b89673600fb829924eafbac6de4bc4b2b06f5f5243483074d0a",
}
"""SHA-256 of the files of swagger-ui-dist 5.34.0, as its project published them."""
IDS = {"X-Request-ID": str(uuid.UUID(int=1))}


def every_file(cast: Cast) -> list[httpx.Response]:
    return [cast.service.send("GET", path) for path in OPEN]


def test_the_page_loads_what_it_names_from_this_service_alone(house: Cast) -> None:
    page = house.service.send("GET", "/docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    named = re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text)
    assert {f"/{name}" for name in named} == {*LOADED, "/openapi.json"}
    assert 'url: "openapi.json"' in house.service.send("GET", "/docs/page.js").text
    types = [house.service.send("GET", path).headers["Content-Type"] for path in LOADED]
    assert types == [f"text/{name}; charset=utf-8" for name in ("javascript", "javascript", "css")]


def test_a_browser_runs_and_asks_nothing_on_the_page_but_ours(house: Cast) -> None:
    (policy,) = house.service.send("GET", "/docs").headers.get_list("Content-Security-Policy")
    assert policy == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    page = house.service.send("GET", "/docs").text
    assert not re.search(r"<script>|<style|\sstyle=|\son[a-z]+=|//", page.partition("\n")[2])


@pytest.mark.parametrize("path", [path for path in OPEN if path != "/docs"])
def test_no_other_answer_of_the_page_lifts_the_policy(house: Cast, path: str) -> None:
    (policy,) = house.service.send("GET", path).headers.get_list("Content-Security-Policy")
    assert policy.endswith("; sandbox")


def test_swagger_ui_is_what_its_project_published() -> None:
    folder = files("fastapi_swagger") / "resources"
    found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in SWAGGER_UI}
    assert found == SWAGGER_UI


def test_the_page_is_to_read_and_asks_for_no_token(house: Cast) -> None:
    script = house.service.send("GET", "/docs/page.js").text
    assert "supportedSubmitMethods: []" in script
    hidden = re.findall(r"(\w+): nothing,", script)
    assert hidden == ["SchemesContainer", "authorizeBtn", "authorizeOperationBtn"]


def test_the_description_is_the_apps_own(house: Cast) -> None:
    said = house.service.send("GET", "/openapi.json")
    assert said.headers["Content-Type"] == "application/json"
    assert said.json() == json.loads(json.dumps(house.service.fastapi.openapi()))


def test_everybody_reads_the_same_bytes_whatever_there_is(cast: Cast) -> None:
    def read() -> list[list[tuple[int, bytes, list[tuple[str, str]]]]]:
        found = [cast.service.send("GET", path, headers=IDS) for path in OPEN]
        with_token = [
            [client.gets(path, headers=IDS) for path in OPEN]
            for client in (cast.practice, cast.council)
        ]
        bad = {**IDS, "Authorization": "Bearer not.a.token"}
        garbage = [cast.service.send("GET", path, headers=bad) for path in OPEN]
        return [
            [(one.status_code, one.content, one.headers.multi_items()) for one in answers]
            for answers in (found, *with_token, garbage)
        ]

    before = read()
    assert all(one == before[0] for one in before)
    assert {status for status, _, _ in before[0]} == {200}
    cast.council.posts("/plans", a_plan())
    assert read() == before


def test_the_page_leaves_nothing_behind(cast: Cast) -> None:
    rows, leaves = cast.service.rows(), len(cast.service.leaves("refused"))
    every_file(cast)
    assert (cast.service.rows(), len(cast.service.leaves("refused"))) == (rows, leaves)


def test_a_reader_who_loads_the_page_without_end_is_told_to_wait(cast: Cast) -> None:
    """A file is large: whoever loads it again and again is counted by address, and nobody else."""
    state = cast.service.fastapi.state
    state.api = replace(state.api, limits=Limits({Audience.PAGE: 3}))
    statuses = [cast.service.send("GET", "/docs/page.js").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    refused = cast.service.send("GET", "/openapi.json")
    then_refused(refused, 429)
    assert int(refused.headers["Retry-After"]) >= 1
    assert cast.council.gets("/holds").status_code == 200


@pytest.mark.parametrize(
    "path", ["/docs/", "/docs/page", "/docs/oauth2-redirect.html", "/docs/a.js"]
)
def test_there_is_no_other_file(house: Cast, path: str) -> None:
    then_refused(house.service.send("GET", path), 404)
