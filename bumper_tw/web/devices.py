"""Device lists, nicknames and what robots last said of themselves (http-devices.md 1 and 4)."""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from bumper_tw.core.fleet import Fleet, placed
from bumper_tw.dialect import models
from bumper_tw.dialect.envelopes import (
    app_ok,
    to_json,
    todo_ok,
)
from bumper_tw.errors import BadRequest
from bumper_tw.interfaces import ITelemetry
from bumper_tw.values import Company, Device
from bumper_tw.web.call import Answer, Call, checked, field, json_answer
from bumper_tw.web.failures import portal_failure
from bumper_tw.web.properties import prop_list
from bumper_tw.web.routes import GET, POST, Route, guarded

#: One of the things that C{user.do} and C{app.do} do, by the C{todo} in the body.
Todo = Callable[[Call, Mapping[str, Any]], Answer | Deferred[Answer]]

#: How many ways of asking, by who asks and the name of this box, before lists are made anew.
MAX_WAYS = 16
#: Characters of a nickname.
MAX_NICK = 100
#: Properties in one question.
MAX_PROPS = 100


@frozen
class Entry:
    """A robot in a list, and what it was made from."""

    device: Device
    online: bool
    shared: bool
    body: bytes


@frozen
class Way:
    """
    A way of asking for lists.

    @ivar uid: who asks.
    @ivar homes: the homes he has, by id; robots that are in none of them are in the first.
    @ivar host: this box as the client calls it.
    @ivar base_url: where its pictures are.
    """

    uid: str
    homes: tuple[str, ...]
    host: str
    base_url: str


class Entries:
    """The robots as they stand in lists, each made once per change and way of asking."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._made: dict[Way, dict[str, Entry]] = {}

    def list(self, way: Way) -> bytes:
        """Every robot that whoever asks may use, as a JSON array."""
        made = self._made.pop(way, {})
        if len(self._made) >= MAX_WAYS:
            self._made.clear()
        devices = self._fleet.seen_by(way.uid)
        fresh = {device.id.did: self._entry(device, made, way) for device in devices}
        self._made[way] = fresh
        return b"[%b]" % b",".join([entry.body for entry in fresh.values()])

    def _entry(self, device: Device, made: Mapping[str, Entry], way: Way) -> Entry:
        did = device.id.did
        online, known = self._fleet.registry.online(did), made.get(did)
        shared = self._fleet.ownership.has_accepted(did, way.uid)
        same = known is not None and (known.online, known.shared) == (online, shared)
        if known is not None and same and known.device is device:
            return known
        body = to_json(entry(device, online, shared, way))
        return Entry(device, online, shared, body)


def entry(device: Device, online: bool, shared: bool, way: Way) -> dict[str, Any]:
    """
    A robot as clients know it; one of an unknown class has what every client needs.

    @param shared: whether it is somebody else's, who lets the asker use it.
    """
    return {
        "class": device.id.model,
        "company": device.company.value,
        "did": device.id.did,
        "name": device.name,
        "nick": device.nick,
        "resource": device.id.resource,
        **product(device.id.model, way.base_url),
        "status": int(online),
        "otaUpgrade": {},
        "updateInfo": {"changeLog": "", "needUpdate": False},
        # Sharing is something that the vendor's MQTT does (http-devices.md 1).
        "shareable": online and device.company is Company.MQTT,
        "sharedDevice": shared,
        "homeId": placed(device, way.homes),
        "homeSort": 1,
        "bindTs": int(device.bound_at * 1000),
        "offmap": True,
        "service": {"jmq": way.host, "mqs": way.host},
    }


def product(class_id: str, base_url: str) -> dict[str, Any]:
    """What the catalogue says of a class."""
    model = models.model(class_id)
    if model is None:
        return {"deviceName": class_id, "UILogicId": ""}
    smart = model.smart_type
    bluetooth = {"btName": "", "btMac": ""} if smart.startswith("BLAP") else {}
    return {
        "pid": model.product_id,
        "materialNo": model.material_no,
        "deviceName": model.name,
        "model": model.model,
        "UILogicId": model.ui_logic_id,
        "ota": model.ota,
        "icon": f"{base_url}/api/pim/file/get/{model.icon_id}",
        "product_category": model.category,
        "scode": models.scode(smart),
        **bluetooth,
    }


class DeviceRoutes:
    """
    What apps do with the list of robots.

    @param homes: the ids of the homes of a user.
    @param todos: further things that C{app.do} does, and
    @param failure: how it says that one of all those went wrong.
    @param guard: lets those through who may use the portal, and says who it is.
    """

    def __init__(
        self,
        clock: IReactorTime,
        fleet: Fleet,
        telemetry: ITelemetry,
        homes: Callable[[str], tuple[str, ...]],
        todos: Mapping[str, Todo],
        failure: Callable[[Call, Exception], Answer],
        guard: Callable[[Call], str],
    ) -> None:
        self._clock, self._fleet, self._telemetry = clock, fleet, telemetry
        self._entries, self._homes = Entries(fleet), homes
        self._failure, self._guard = failure, guard
        self._app_todos = {**self.app_todos(), **todos}

    def routes(self) -> tuple[Route, ...]:
        """DV01 and DV05."""
        appsvr = "/api/appsvr/"
        return (
            Route(appsvr + "app.do", POST, guarded(self._guard, self.app_do), self._failure),
            Route(appsvr + "device/prop/list", GET, self.properties, portal_failure),
        )

    def user_todos(self) -> dict[str, Todo]:
        """What C{user.do} does with robots (http-endpoints.md 2)."""
        return {
            "GetDeviceList": self.user_list,
            "SetDeviceNick": self.set_nick,
            "AddOneDevice": self.add,
            "DeleteOneDevice": self.delete,
        }

    def app_todos(self) -> dict[str, Todo]:
        """What C{app.do} does itself (http-endpoints.md 3)."""
        return {
            "GetGlobalDeviceList": self.app_list,
            "GetCodepush": lambda *_: json_answer(todo_ok(CODEPUSH)),
            "GetAppVideoUrl": videos,
            "GetDeviceProtocolV2": protocols,
        }

    def app_do(self, call: Call) -> Answer | Deferred[Answer]:
        """DV01: one path for many things."""
        body = call.body()
        todo = field(body, "todo", str)
        if todo not in self._app_todos:
            raise BadRequest("unknown todo")
        return self._app_todos[todo](call, body)

    def user_list(self, call: Call, _: Mapping[str, Any]) -> Answer:
        """The robots, in the envelope of C{user.do}."""
        return Answer(b'{"devices":%b,"result":"ok","todo":"result"}' % self._list(call))

    def app_list(self, call: Call, _: Mapping[str, Any]) -> Answer:
        """The same robots, in the envelope of C{app.do}."""
        return Answer(b'{"todo":"result","ret":"ok","devices":%b,"code":0}' % self._list(call))

    def _list(self, call: Call) -> bytes:
        uid = self._guard(call)
        return self._entries.list(Way(uid, self._homes(uid), call.host, call.base_url))

    def set_nick(self, call: Call, body: Mapping[str, Any]) -> Deferred[Answer]:
        """
        Name a robot.  One that nobody knows is not made up (http.md 5, trap 14); clients
        hear of success all the same.
        """
        did, nick = field(body, "did", str), body.get("nick")
        if nick is None:
            return succeed(done())
        named = self._fleet.name(self._guard(call), did, tidy(checked(nick, "nick", str)))
        return named.addCallback(done)

    def add(self, call: Call, body: Mapping[str, Any]) -> Deferred[Answer]:
        """The same, by somebody who has paired it: a robot that is nobody's becomes his."""
        uid, did = self._guard(call), field(body, "did", str)
        # Whoever is known has a home; at home others may call themselves anything.
        bound = self._fleet.bind(uid if self._homes(uid) else "", did)
        return bound.addCallback(lambda _: self.set_nick(call, body))

    def delete(self, call: Call, body: Mapping[str, Any]) -> Deferred[Answer]:
        """Forget a robot, until it connects again; or leave one that is shared."""
        did = field(body, "did", str)
        return self._fleet.remove(self._guard(call), did).addCallback(done)

    def properties(self, call: Call) -> Answer:
        """DV05: from what the robot reported, as asking it could take as long as it likes."""
        did = call.query("did")
        seen = self._fleet.permits.may_use(self._guard(call), did)
        names = [name for name in call.query("props").split(",") if name][:MAX_PROPS]
        props = prop_list(names, self._telemetry.latest(did) if seen else ())
        now_ms = int(self._clock.seconds() * 1000)
        return json_answer(app_ok({"did": did, "ts": now_ms, "props": props}))


#: Screens of robots are not ours to hand out.
CODEPUSH = {"extend": {}, "type": "microsoft", "url": ""}


def tidy(nick: str) -> str:
    """A nickname that can be shown and logged: printable, and not too long."""
    return "".join(letter for letter in nick if letter.isprintable())[:MAX_NICK].strip()


def done(_: object = None) -> Answer:
    """S2 of C{user.do}, with nothing to say."""
    return json_answer(todo_ok(None, status="result"))


def videos(_: Call, body: Mapping[str, Any]) -> Answer:
    """The vendor's films are not ours to show: no key is known."""
    field(body, "keys", list)
    return json_answer(todo_ok({}))


def protocols(call: Call, _: Mapping[str, Any]) -> Answer:
    """Nobody here wants consent to anything, so the app need not ask for it."""
    page = f"{call.base_url}/api/pim/protocol.html?version="
    return json_answer(
        todo_ok(
            {
                "video": consent("13.01", True, f"{page}13.01&type=video"),
                "improve": consent("11.15", False, f"{page}11.15&type=improve"),
            }
        )
    )


def consent(version: str, accepted: bool, page: str) -> dict[str, Any]:
    """One agreement in its newest version."""
    return {
        "version": version,
        "hasNewProtocol": False,
        "hasReadOld": True,
        "isAccept": accepted,
        "protocolUrl": page,
    }
