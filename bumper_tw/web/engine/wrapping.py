"""Which family of endpoints a path belongs to, and how that family says yes and no."""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from bumper_tw.dialect.envelopes import (
    FAILED,
    app_failed,
    app_ok,
    iot_failed,
    portal_failed,
    private_failed,
    private_ok,
    user_failed,
)
from bumper_tw.web.call import JSON, Answer, json_answer
from bumper_tw.web.engine.envelopes import BURIED, HTML, SUCCESS, page

#: A picture in which nothing is to be seen: one transparent point.
POINT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6360600000000300012b094d840000000049454e44ae426082"
)
NEUTRAL = page(
    "Nothing to show",
    "The vendor has a page here, and this robot is served from your own network:"
    " what it does stays there.",
)


@frozen
class Family:
    """
    Endpoints that are alike.

    @ivar name: how reports call it.
    @ivar success: the value that says "done" and nothing else, at a time in milliseconds.
    @ivar failure: the value that says why not.
    @ivar page: what it answers instead of a value, and of which type.
    """

    name: str
    success: Callable[[int], Any]
    failure: Callable[[str, int], Any]
    page: tuple[bytes, str] = (b"", JSON)

    def ok(self, now_ms: int) -> Answer:
        """A success that does no harm, as it has no data."""
        body, content_type = self.page
        return (
            Answer(body, content_type=content_type) if body else json_answer(self.success(now_ms))
        )

    def failed(self, why: str, now_ms: int = 0) -> Answer:
        """A failure as clients of this family understand it."""
        return json_answer(self.failure(why, now_ms))


def _portal(why: str, _: int) -> Any:
    return portal_failed(why)


def _iot(why: str, _: int) -> Any:
    return iot_failed(why)


def _done(_: int) -> Any:
    """S2 under both names of its verdict, as nobody knows which of them is looked at."""
    return {"todo": "result", "result": "ok", "ret": "ok", "code": 0}


def _portal_family(name: str, **more: object) -> Family:
    """One whose success has no data but C{more}."""
    return Family(name, lambda _: {**SUCCESS, **more}, _portal)


PRIVATE = Family(
    "private",
    lambda now_ms: private_ok(None, now_ms),
    lambda why, now_ms: private_failed(FAILED, why, now_ms),
)
APPSVR = _portal_family("appsvr", ret="ok")
IOT = Family("iot", lambda _: {"ret": "ok"}, _iot)
TELEMETRY = Family("telemetry", lambda _: None, _portal)
PAGES = Family("pages", lambda _: None, _portal, (NEUTRAL.encode("utf-8"), HTML))
PICTURES = Family("pictures", lambda _: None, _portal, (POINT, "image/png"))
DO = Family("do", _done, lambda why, _: user_failed(why, ""))

#: The families by how their paths begin; the longest beginning counts.
FAMILIES: Mapping[str, Family] = {
    "/v1/private/": PRIVATE,
    "/v2/private/": PRIVATE,
    "/v3/private/": PRIVATE,
    "/v1/global/": PRIVATE,
    "/v0.1/": Family("codepush", lambda _: {}, _portal),
    "/app/": Family("app", lambda _: app_ok([]), _portal),
    "/app_adv/": PAGES,
    "/content/": PAGES,
    "/pim/": PAGES,
    "/product/": PAGES,
    "/web/": PAGES,
    "/pim/images/": PICTURES,
    "/public/": PICTURES,
    "/upload/": PICTURES,
    "/api/": _portal_family("api", ret="ok"),
    "/api/appsvr/": APPSVR,
    "/api/appsvr/app.do": Family("app.do", _done, lambda _why, _now: app_failed()),
    "/api/content/": PRIVATE,
    "/api/dim/": IOT,
    "/api/ecms/": _portal_family("ecms", success=True),
    "/api/homed/": _portal_family("homed"),
    "/api/iot/": IOT,
    "/api/lg/": IOT,
    "/api/microservice-recomend/": _portal_family("recommend", success=True),
    "/api/neng/": _portal_family("neng"),
    "/api/neng/v3/": _portal_family("neng", ret="ok"),
    "/api/photo/": _portal_family("photo", success=True),
    "/api/pim/": _portal_family("pim", ret="ok"),
    "/api/rapp/": _portal_family("rapp"),
    "/api/sds/": _portal_family("sds", success=True),
    "/biz-app-config/": APPSVR,
    "/config/": Family("config", lambda _: {}, _portal),
    "/data_collect/": TELEMETRY,
    "/Global_APP_BuryPoint/": Family("telemetry", lambda _: dict(BURIED), _portal),
    "/sa": TELEMETRY,
    "/log": TELEMETRY,
}

#: As many slashes are in the beginning of a family at most.
DEEPEST = max(beginning.count("/") for beginning in FAMILIES)

#: The same by how they end, whatever they begin with.
ENDS: Mapping[str, Family] = {
    "do": DO,
    "html": PAGES,
    "png": PICTURES,
    "jpg": PICTURES,
    "jpeg": PICTURES,
    "gif": PICTURES,
    "webp": PICTURES,
    "svg": PICTURES,
}

#: Where our own API is; nothing there is the vendor's.
OWN = frozenset({
    "about", "access", "backup", "cards", "command", "doctor", "events", "files", "house",
    "journal", "login", "logout", "me", "openapi.json", "owner", "robots", "rules", "services",
    "session", "sessions", "settings", "setup", "support-bundle", "tokens", "unknown", "accounts",
})  # fmt: skip


def is_own(path: str) -> bool:
    """Whether a path belongs to our own API."""
    parts = path.split("/", 3)
    return len(parts) > 2 and parts[1] == "api" and parts[2] in OWN


def family(path: str) -> Family | None:
    """
    The family that a path belongs to.

    @param path: decoded.
    @return: C{None} when it is no path of the vendor's.
    """
    if is_own(path) or not path.startswith("/"):
        return None
    return FAMILIES.get(path) or _by_end(path) or _by_beginning(path)


def _by_end(path: str) -> Family | None:
    name = path.rpartition("/")[2]
    return ENDS.get(name.rpartition(".")[2].lower()) if "." in name else None


def _by_beginning(path: str) -> Family | None:
    """The family of the longest beginning."""
    # Whatever is behind the first few slashes is not looked at, however much it is.
    folders = path.split("/", DEEPEST)[:-1]
    beginnings = ("/".join(folders[:depth]) + "/" for depth in range(len(folders), 1, -1))
    return next((FAMILIES[each] for each in beginnings if each in FAMILIES), None)
