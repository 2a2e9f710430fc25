"""Tests for L{bumper_tw.web.openapi}: the document, and that nothing of ours is missing in it."""

import json
import re
from typing import Any

from bumper_tw.web.engine.entries import parse
from bumper_tw.web.engine.wrapping import family
from bumper_tw.web.openapi import (
    Documented,
    described,
    document,
    is_ours,
    schema_of,
    spelling,
)
from bumper_tw.web.routes import PRIVATE, Route
from tests.web.houses import HouseCase

#: The methods that OpenAPI knows.
METHODS = {"get", "post", "put", "delete", "patch"}
HOLE = re.compile(r"\{(\w+)\}")


def references(value: Any) -> set[str]:
    """Every schema that is referred to."""
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


class DocumentTests(HouseCase):
    """The document of the whole server."""

    def document(self, query: str = "") -> dict[str, Any]:
        """As it is served; nobody needs a token for it."""
        page = self.house.browser().get(f"/api/openapi.json{query}")
        self.assertEqual(page.status, 200)
        found: dict[str, Any] = page.json
        return found

    def test_own(self) -> None:
        """Every route of our own API is described, and nothing else is."""
        found = self.document("?tag=own")["paths"]
        served = {f"{method.upper()} {path}" for path, all_ in found.items() for method in all_}
        self.assertEqual(served, set(described()["operations"]))
        for path, operations in found.items():
            self.assertTrue(is_ours(path))
            for operation in operations.values():
                self.assertTrue(operation["summary"].endswith("."), path)

    def test_undescribed(self) -> None:
        """One that nobody has described is an error, which the test above would show."""
        route = Route("/api/robots/<did>/new", ("GET",), lambda _: None, lambda *_: None)  # type: ignore[arg-type, return-value]  # never asked
        self.assertRaises(KeyError, document, Documented((route,)))

    def test_vendor(self) -> None:
        """The vendor's paths are there, code and data; both parts together are the whole."""
        whole, own = self.document()["paths"], self.document("?tag=own")["paths"]
        vendor = self.document("?tag=vendor")["paths"]
        self.assertEqual(set(whole), set(own) | set(vendor))
        self.assertGreater(len(vendor), 150)
        for path in ("/api/iot/devmanager.do", "/sa", "/api/neng/message/hasUnreadMsg"):
            self.assertIn(path, vendor)
            self.assertTrue(family(path), path)
        self.assertTrue(any(path.startswith("/v1/private/{country}/") for path in vendor))

    def test_valid(self) -> None:
        """It is OpenAPI: parameters of paths are declared, references lead somewhere."""
        found = self.document()
        self.assertEqual(found["openapi"], "3.1.0")
        known = {f"#/components/schemas/{name}" for name in found["components"]["schemas"]}
        self.assertEqual(references(found) - known, set())
        spellings = [HOLE.sub("{}", path) for path in found["paths"]]
        self.assertEqual(len(spellings), len(set(spellings)))
        for path, operations in found["paths"].items():
            self.assertTrue(operations.keys() <= METHODS, path)
            for operation in operations.values():
                inside = [each["name"] for each in operation["parameters"] if each["in"] == "path"]
                self.assertEqual(sorted(inside), sorted(HOLE.findall(path)), path)
                self.assertTrue(operation["responses"])
                self.assertEqual(len(operation["tags"]), 1)

    def test_kept(self) -> None:
        """Whoever has it already gets nothing."""
        browser = self.house.browser()
        page = browser.get("/api/openapi.json")
        etag = page.headers["etag"]
        again = browser.ask("GET", "/api/openapi.json", headers=[("If-None-Match", etag)])
        self.assertEqual((again.status, again.body, again.headers["etag"]), (304, b"", etag))
        self.assertNotEqual(browser.get("/api/openapi.json?tag=own").headers["etag"], etag)
        self.assertEqual(browser.get("/api/openapi.json?tag=other").status, 400)

    def test_no_host(self) -> None:
        """It names no other machine, and none of the box's names either."""
        text = self.house.browser().get("/api/openapi.json").body.decode()
        self.assertNotIn("://", text)
        self.assertNotIn("box.lan", text)
        self.assertIsNone(re.search("eco(user|vacs)", text))

    def test_owners(self) -> None:
        """What the owner adds is in it, at the start and once he has it read again."""
        folder = self.data / "answers"
        folder.mkdir()
        new = [{"path": "/api/pim/brandNew", "envelope": "app", "body": [1.5], "about": "new"}]
        (folder / "mine.json").write_text(json.dumps(new))
        self.assertNotIn("/api/pim/brandNew", self.document()["paths"])
        self.house.site.reload()
        [status] = self.document()["paths"]["/api/pim/brandNew"]["get"]["responses"].items()
        self.assertEqual(status[0], "200")
        data = status[1]["content"]["application/json"]["schema"]["properties"]["data"]
        self.assertEqual(data, {"type": "array", "items": {"type": "number"}})


class EntryTests(HouseCase):
    """How data becomes a description."""

    def operation(self, **said: Any) -> dict[str, Any]:
        """Of one entry."""
        entry = {"path": "/v1/private/{P}/common/brandNew", "methods": ["GET"], **said}
        entries = parse(json.dumps([entry]).encode(), "mine", lambda _: b"")
        [operations] = document(Documented((), entries))["paths"].values()
        found: dict[str, Any] = operations["get"]
        return found

    def test_private(self) -> None:
        """The envelope is part of it, and a time is a number."""
        operation = self.operation(envelope="private", body={"at": "{later_ms}", "who": "{uid}"})
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        self.assertEqual(schema["properties"]["time"], {"type": "integer"})
        data = schema["properties"]["data"]["properties"]
        self.assertEqual(data, {"at": {"type": "integer"}, "who": {"type": "string"}})
        self.assertEqual(len(operation["parameters"]), len(re.findall("<", PRIVATE)) - 1)

    def test_several(self) -> None:
        """With several bodies it is any of them; what chooses is a parameter."""
        operation = self.operation(envelope="raw", body=1, by="code", bodies={"x": "y", "z": 2})
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        self.assertEqual(schema, {"anyOf": [{"type": "string"}, {"type": "integer"}]})
        code = operation["parameters"][-1]
        self.assertEqual((code["name"], code["schema"]["examples"]), ("code", ["x", "z"]))

    def test_page(self) -> None:
        """A page has no schema."""
        operation = self.operation(envelope="html", body="<p>", status=404)
        self.assertEqual(operation["responses"]["404"]["content"], {"text/html": {}})

    def test_schemas(self) -> None:
        """Null and nothing say nothing; the rest is as JSON calls it."""
        schema = schema_of({"a": None, "b": [], "c": True, "d": 1, "e": "x"})
        self.assertEqual(
            schema["properties"],
            {
                "a": {},
                "b": {"type": "array", "items": {}},
                "c": {"type": "boolean"},
                "d": {"type": "integer"},
                "e": {"type": "string"},
            },
        )

    def test_spelling(self) -> None:
        """Both ways of writing the private API are one."""
        rest = "/common/brandNew"
        written = spelling(PRIVATE.replace("<version>", "v1") + rest)
        self.assertEqual(spelling("/v1/private/{P}" + rest), written)
