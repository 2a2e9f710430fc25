"""
Where things are: a robot's first question, and the host lists of the apps
(http-discovery.md 1 to 6).

Every answer names this box, by the name or address under which the client has found it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from bumper_tw.dialect import areas
from bumper_tw.dialect.envelopes import (
    FAILED,
    area_failed,
    bare,
    find,
    parse_json,
    private_failed,
    private_ok,
    to_json,
    todo_ok,
    user_failed,
)
from bumper_tw.errors import BadRequest
from bumper_tw.web.call import Answer, Call, in_brackets, json_answer, parse_form
from bumper_tw.web.failures import portal_failure
from bumper_tw.web.routes import ANY, POST, Route, private

#: What robots and apps look for: where messages go, and where firmware comes from.
MESSAGES, UPDATES = "EcoMsgNew", "EcoUpdate"
#: The vendor sends robots that want an update to a machine of its own; nothing listens at this
#: port of ours, and firmware stays what it is.
UPDATE_PORT = 8005

#: The one thing that can be asked there.
FIND_BEST = "FindBest"

#: Where an app finds what; all of it is here (http-discovery.md 2).
HOSTS = (
    "account", "adv", "jmq", "lb", "magw", "ngiot", "ngiotLb", "nlp", "rop", "bigdata", "base",
    "eis", "codepush",
)  # fmt: skip

#: Keys of C{getConfig} whose value is the address of a page.
PAGES = {"FIND.PASSWORD.FAQ.CONF", "PASSWORD.STRENGTH.URL"}

#: Values of C{getConfig} that do not depend on anything; any other key is C{Y}.
CONFIG = {
    "EMAIL.REGISTER.CONFIG": '{"needVerify":"N"}',
    "OPEN.APP.CERTIFICATE.CONFIG": '{"ISO27001":"ENABLED","TUV":"ENABLED"}',
    "USER.DATA.COLLECTION": "N",
    "USER.DEVICE.LIST.CONFIG": '{"showFlag":"N"}',
    "PRIVACY.CONFIG": (
        '[{"key":"PERSONAL_INFO_SHARING","status":"DISABLED","url":""},'
        '{"key":"THIRD_PARTY_SDK","status":"DISABLED","url":""}]'
    ),
    "SUGGESTION.DEFAULT.FLAG": "Y",
}
#: As many keys as one request may ask for.
MAX_KEYS = 100


class LookupRoutes:
    """
    Tells robots and apps where to go.

    @param announce: the address robots can reach, given the one a connection arrived on;
        C{None} when there is none.
    @param public_key: what apps encrypt passwords with: Base64 of a DER SubjectPublicKeyInfo.
    @param xmpp_port: where robots and apps reach our XMPP.
    @param looked_up: is told of requests for the address of updates.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        announce: Callable[[str], str | None],
        public_key: Callable[[], str],
        xmpp_port: int,
        looked_up: Callable[[Call], None] = lambda _: None,
    ) -> None:
        self._clock, self._announce, self._public_key = clock, announce, public_key
        self._looked_up = looked_up
        self._ports = {MESSAGES: xmpp_port, UPDATES: UPDATE_PORT}

    def routes(self) -> tuple[Route, ...]:
        """DI01 to DI06."""
        common = private("v1", "/common/")
        return (
            Route("/lookup.do", POST, self.lookup, self.lost),
            Route("/api/appsvr/service/list", ANY, self.hosts, portal_failure),
            Route("/api/basis/dc/get-by-area", ANY, self.data_centre, self.area_failure),
            Route(common + "getConfig", ANY, self.config, self.private_failure),
            Route(common + "getAreas", ANY, self.areas, self.private_failure),
            Route(common + "getTimestamp", ANY, self.time, self.private_failure),
        )

    def now_ms(self) -> int:
        """The time in milliseconds since the epoch."""
        return int(self._clock.seconds() * 1000)

    def lookup(self, call: Call) -> Answer:
        """DI01: where is my server?  What is asked for beyond that is not found."""
        asked = question(call)
        known = asked.get("todo") == FIND_BEST
        found = self._find(call, asked.get("service")) if known else None
        return Answer(found or b"{}")

    def find_best(self, call: Call, body: Mapping[str, Any]) -> Answer:
        """The same question as a C{todo} of C{user.do}, where E6 means no."""
        found = self._find(call, body.get("service"))
        if found is None:
            return json_answer(user_failed("there is no such service", FIND_BEST))
        return Answer(found)

    def _find(self, call: Call, service: object) -> bytes | None:
        port = self._ports.get(service) if isinstance(service, str) else None
        if port is None:
            return None
        if service == UPDATES:
            self._looked_up(call)
        address = self._announce(call.local)
        if address is None:
            self._log.error("no address to announce to {peer}", peer=call.peer)
            return None
        call.contact.sent_to(address)
        return find(address, port)

    def lost(self, _: Call, __: Exception) -> Answer:
        """A robot that asks nonsense."""
        return Answer(b"{}")

    def hosts(self, call: Call) -> Answer:
        """DI02: from here an app takes every further host."""
        area, host = call.query("area", "us").lower(), call.host
        data: dict[str, Any] = dict.fromkeys(HOSTS, host)
        data["dc"] = areas.data_centre(area) or "na"
        data["msgcloud"] = f"{in_brackets(host)}:{self._ports[MESSAGES]}"
        # A newly paired robot is given this domain and makes its host names from it: it stays
        # the zone that our DNS answers for, as a name without a zone would be no use to it.
        data["setApConfig"] = {"a": area, "r": "ecouser.net", "v": "ww"}
        return json_answer(todo_ok(data))

    def data_centre(self, call: Call) -> Answer:
        """DI03; nothing here depends on the value."""
        found = areas.data_centre(call.query("area", "us").lower())
        if found is not None:
            return json_answer(bare({"dc": found}))
        known = ", ".join(f'"{code}"' for code in areas.codes())
        raise BadRequest(f"area: area must be one of the following: {known}")

    def config(self, call: Call) -> Answer:
        """DI04: each key asked for, in that order; values are texts, whatever is in them."""
        keys = call.query("keys").split(",")[:MAX_KEYS]
        if keys == [""]:
            raise BadRequest("keys are missing")
        page = f"{call.base_url}/web/page"
        return self._private([{"key": key, "value": self._value(key, page)} for key in keys])

    def _value(self, key: str, page: str) -> str:
        if key in PAGES:
            return page
        if key == "PUBLIC.KEY.CONFIG":
            return to_json({"publicKey": self._public_key()}).decode("utf-8")
        return CONFIG.get(key, "Y")

    def areas(self, _: Call) -> Answer:
        """DI05."""
        listed = [area_entry(area) for area in areas.areas()]
        return self._private({"currentVersion": 231, "areaList": listed})

    def time(self, _: Call) -> Answer:
        """DI06: one moment, in both places."""
        now = self.now_ms()
        return json_answer(private_ok({"timestamp": now}, now))

    def _private(self, data: object) -> Answer:
        return json_answer(private_ok(data, self.now_ms()))

    def private_failure(self, _: Call, why: Exception) -> Answer:
        """E9."""
        return json_answer(private_failed(FAILED, str(why), self.now_ms()))

    def area_failure(self, _: Call, why: Exception) -> Answer:
        """E10."""
        return json_answer(area_failed(str(why)))


def question(call: Call) -> Mapping[str, Any]:
    """
    What a robot asks, in a form or in JSON (robots.md 3.1).  Which of them it is shows in how
    it begins: so small a program does not always say what it sends, or says something else.

    @raise BadRequest: it is neither.
    """
    raw = call.raw.strip()
    try:
        asked: Mapping[str, Any] = parse_json(raw) if raw.startswith(b"{") else parse_form(raw)
    except ValueError as wrong:
        raise BadRequest("the body is neither JSON nor a form") from wrong
    return asked


def area_entry(area: areas.Area) -> dict[str, str]:
    """An area as the app's region picker shows it."""
    return {
        "areaKey": area.code,
        "chsName": area.chinese,
        "enName": area.english,
        "pyFirst": area.index_letter,
    }
