"""
Every way to newer software (http-endpoints.md 8): there is nothing newer, and who asked is noted.

The one exception is what the owner has put into the data directory and allows one robot once.
"""

from collections.abc import Callable
from typing import Any

from bumper_tw.core.updates import Updates
from bumper_tw.dialect.envelopes import app_ok
from bumper_tw.web.askers import Askers
from bumper_tw.web.call import JSON, Answer, Call, json_answer
from bumper_tw.web.engine.entries import Entry
from bumper_tw.web.failures import portal_failure
from bumper_tw.web.routes import ANY, GET, Route

#: What is asked for; see L{bumper_tw.core.updates.Attempt}.
FIRMWARE, ADDRESS, BUNDLE, APP = "firmware", "address", "bundle", "app"
#: The module of a robot that says none: its firmware proper.
MAIN = "fw0"

#: Where requests have the version they come from, and what it is of.
VERSIONS = ("ver", "version", "app_version", "appVersion", "fwVer")
MODULES = ("module", "deployment_name")

#: Finds what the owner has for a class of robots and a module.
Find = Callable[[str, str], bytes | None]


class UpdateRoutes:
    """
    Answers and notes.

    @param find: the owner's own firmware.
    """

    def __init__(self, updates: Updates, askers: Askers, find: Find) -> None:
        self._updates, self._askers, self._find = updates, askers, find

    def routes(self) -> tuple[Route, ...]:
        """OT01, OT02."""
        return (
            Route("/v0.1/public/codepush/update_check", GET, self.bundle, portal_failure),
            Route("/api/appsvr/codepush/checkupdate", ANY, self.bundle_app, portal_failure),
        )

    def noted(self, entry: Entry, call: Call) -> Answer | None:
        """
        What happens before an answer that is data: OT04 to OT07, and the owner's own.

        @return: the one answer with something newer in it, which the owner has allowed.
        """
        if entry.envelope == "private":
            segments = call.segments
            self._note(call, APP, segments.get("app", ""), segments.get("appversion", ""))
            return None
        model, module = call.segments.get("class_id", ""), first(call, MODULES)
        self._note(call, FIRMWARE, module or MAIN, first(call, VERSIONS), model)
        return self._allowed(call, model, module or MAIN)

    def _allowed(self, call: Call, model: str, module: str) -> Answer | None:
        """What a robot gets that asks for the firmware of its own class, and may have it."""
        robot = self._askers.robot(call)
        if robot is None or robot.id.model != model or call.method == "HEAD":
            return None
        found = self._updates.take(robot.id.did, lambda: self._find(model, module))
        return None if found is None else Answer(found, content_type=JSON)

    def looked_up(self, call: Call) -> None:
        """A robot asks where updates are (http-discovery.md 1)."""
        self._note(call, ADDRESS, "", "")

    def bundle(self, call: Call) -> Answer:
        """OT01: there is no newer screen for any robot."""
        self._note(call, BUNDLE, call.query("deployment_key"), call.query("app_version"))
        return json_answer({"update_info": no_bundle(call)})

    def bundle_app(self, call: Call) -> Answer:
        """OT02: the same, wrapped."""
        self._note(call, BUNDLE, call.query("deployment_key"), call.query("app_version"))
        return json_answer(app_ok({"update_info": no_bundle(call)}))

    def _note(self, call: Call, kind: str, module: str, version: str, model: str = "") -> None:
        robot = self._askers.robot(call)
        did, known = ("", model) if robot is None else (robot.id.did, robot.id.model)
        self._updates.note(kind, call.peer, did, known, module, version)


def first(call: Call, names: tuple[str, ...]) -> str:
    """The first of several query parameters that is there."""
    return next((text for text in map(call.query, names) if text), "")


def no_bundle(call: Call) -> dict[str, Any]:
    """What says that the app has the newest screen for its robot (http-endpoints.md 8.1)."""
    return {
        "download_url": "",
        "description": "",
        "is_available": False,
        "is_disabled": True,
        "target_binary_range": call.query("app_version", "1.0.0"),
        "label": call.query("label"),
        "package_hash": call.query("package_hash"),
        "package_size": 0,
        "should_run_binary_version": False,
        "update_app_version": False,
        "is_mandatory": False,
        "deployment_key": call.query("deployment_key"),
        "deployment_name": call.query("deployment_name", "Production"),
        "publish_time": 0,
    }
