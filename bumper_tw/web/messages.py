"""The message centre of the apps (http-endpoints.md 7.1)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, gatherResults

from bumper_tw.core.messages import ERROR, EVENT, OF_ROBOTS, HouseMessage, Messages
from bumper_tw.dialect.envelopes import app_ok, bare
from bumper_tw.errors import DeviceUnknown
from bumper_tw.interfaces import IDeviceRegistry
from bumper_tw.people_interfaces import IPermits
from bumper_tw.values import Device
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.devices import product
from bumper_tw.web.failures import session_failure
from bumper_tw.web.message_texts import MessageTexts
from bumper_tw.web.routes import ANY, Route
from bumper_tw.web.told import natural, switch_in, told, told_ids, value_of

#: Messages in one answer, unless an app asks for another number, and at the most.
SOME, MOST = 20, 100

#: What the fields of requests may be called; no document says how they are.
DID, SIZE = ("did", "deviceId"), ("size", "pageSize", "limit")
AFTER, NUMBER = ("lastId", "before", "start"), ("page", "pageNum")
TAB = ("code", "tab", "type")
IDS = ("ids", "id", "msgIds", "msgId")
PUSH = ("push", "status", "msgPushStatus", "enable")

#: The groups whose messages can be switched off (http-endpoints.md 7.1).
GROUPS = ("DEVICE", "SHARE")

#: C{shareStatus} by what has become of an invitation; the second is our guess.
STATES = {"invited": "sharing", "accepted": "shared"}

#: Switches in one request.
MOST_SWITCHED = 100

#: Where apps read the rest of a message: a page, which they fetch without any token.
DETAIL = "/api/pim/eventdetail.html"
HTML = "text/html; charset=utf-8"
PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">\
<meta name="viewport" content="width=device-width"><title>{title}</title></head>\
<body><h1>{title}</h1><p>{body}</p></body></html>"""
GONE = "Message", "There is nothing more to say about this."


@frozen
class Readers:
    """
    Who reads messages.

    @ivar who: the user of the portal who asks.
    @ivar language: what a user speaks.
    @ivar offer: what has become of an invitation, by did and uid; empty when it is not there
        any more.
    """

    who: Callable[[Call], str]
    language: Callable[[str], str]
    offer: Callable[[str, str], str]


class MessageRoutes:
    """Lists, badges and switches; only what a list shows lights a badge."""

    def __init__(
        self,
        messages: Messages,
        registry: IDeviceRegistry,
        permits: IPermits,
        readers: Readers,
        texts: MessageTexts,
    ) -> None:
        self._messages, self._registry, self._permits = messages, registry, permits
        self._readers, self._texts = readers, texts

    def routes(self) -> Iterator[Route]:
        """MS06 to MS13, MS15, and HP06."""
        for path, answer in (
            ("message/hasUnreadMsg", self.badges),
            ("message/getShareMsgs", self.invitations),
            ("message/getlist", self.page),
            ("message/read", self.read),
            ("v2/message/push", self.switch),
            ("v3/message/latest_by_did", self.latest),
            ("v3/message/list", self.lines),
            ("v3/message/pushStatus", self.switches),
            ("v3/shareMsg/hasUnreadMsg", self.invitation_badge),
        ):
            yield Route(f"/api/neng/{path}", ANY, answer, session_failure)
        yield Route(DETAIL, ANY, self.detail, session_failure)

    def todos(self) -> dict[str, Callable[[Call, Mapping[str, Any]], Answer]]:
        """What C{devmanager.do} does with messages."""
        return {"HasUnreadMsg": self.old_badge}

    def badges(self, call: Call) -> Answer:
        """MS06."""
        uid = self._readers.who(call)
        data = {
            "hasUnRead": self._unread(uid, self._about(uid)) > 0,
            "shareMsgUnRead": self._unread(uid, self._to(uid)) > 0,
        }
        return json_answer(bare(data))

    def invitation_badge(self, call: Call) -> Answer:
        """MS15."""
        uid = self._readers.who(call)
        count = self._unread(uid, self._to(uid))
        return json_answer(app_ok({"count": count, "unRead": count > 0}))

    def old_badge(self, call: Call, _: Mapping[str, Any]) -> Answer:
        """The same for C{devmanager.do}, where there is one badge for both."""
        uid = self._readers.who(call)
        unread = self._unread(uid, [*self._about(uid), *self._to(uid)])
        return json_answer({"ret": "ok", "unRead": unread > 0})

    def page(self, call: Call) -> Answer:
        """MS08: page by page."""
        uid = self._readers.who(call)
        found, more = self._asked(uid, call)
        return json_answer(bare({"hasNext": more, "msgs": self._shown(uid, call, found)}))

    def lines(self, call: Call) -> Answer:
        """MS12: the same without saying whether there is more."""
        uid = self._readers.who(call)
        found, _ = self._asked(uid, call)
        return json_answer(app_ok(self._shown(uid, call, found)))

    def latest(self, call: Call) -> Answer:
        """MS11: the newest of each robot."""
        uid = self._readers.who(call)
        first: dict[str, HouseMessage] = {}
        for message in self._about(uid, told_ids(call, "dids", *DID)):
            first.setdefault(message.did, message)
        return json_answer(app_ok(self._shown(uid, call, first.values())))

    def invitations(self, call: Call) -> Answer:
        """MS07."""
        uid = self._readers.who(call)
        messages = [self._invitation(uid, call, each) for each in self._to(uid)]
        return json_answer(bare({"hasNext": False, "msgs": messages}))

    def detail(self, call: Call) -> Answer:
        """HP06: what a message says, for whoever was told its id."""
        message = self._messages.find(call.query("id"))
        device = self._device(message.did) if message else None
        title, body = GONE
        if message is not None and device is not None:
            # Whoever has this address may be anybody: what its owner calls it is not said.
            name = sold_as(device, call.base_url)
            title, body = self._texts.of(message, name, call.query("lang"))
        page = PAGE.format(title=escape(title), body=escape(body))
        return Answer(page.encode("utf-8", "replace"), content_type=HTML)

    def read(self, call: Call) -> Deferred[Answer]:
        """MS09: those that are named; all of a robot; or all."""
        uid = self._readers.who(call)
        ids, dids = told_ids(call, *IDS), told_ids(call, "dids", *DID)
        if ids is None and dids is not None:
            ids = [message.id for message in self._about(uid, dids)]
        done = self._messages.read_all(uid) if ids is None else self._messages.read(uid, ids)
        return done.addCallback(lambda _: json_answer({"code": 0, "message": "success"}))

    def switch(self, call: Call) -> Deferred[Answer]:
        """MS10: one robot or group, or several groups at once."""
        uid = self._readers.who(call)
        done = [
            self._messages.switch(uid, name, on)
            for name, on in asked_switches(call).items()
            if name in GROUPS or self._may_use(uid, name)
        ]
        answer = {"code": 0, "message": "", "ret": "ok", "data": "success"}
        return gatherResults(done, consumeErrors=True).addCallback(lambda _: json_answer(answer))

    def switches(self, call: Call) -> Answer:
        """MS13."""
        uid = self._readers.who(call)
        wants = self._messages.wants
        data = {
            "uid": uid or call.header("userid"),
            "msgPushStatus": {group: wants(uid, group) for group in GROUPS},
            "devices": [
                {
                    "did": device.id.did,
                    "msgPushStatus": wants(uid, device.id.did),
                    "nickName": device.nick,
                }
                for device in self._registry.devices()
                if self._permits.may_use(uid, device.id.did)
            ],
        }
        return json_answer({"code": 0, "message": "success", "data": data})

    def _may_use(self, uid: str, did: str) -> bool:
        return self._device(did) is not None and self._permits.may_use(uid, did)

    def _about(
        self, uid: str, dids: Iterable[str] | None = None, tab: str = ""
    ) -> Sequence[HouseMessage]:
        """What a user may read about some robots; about all of his, if none is named."""
        if dids is None:
            dids = [device.id.did for device in self._registry.devices()]
        kinds = {tab} if tab in {EVENT, ERROR} else OF_ROBOTS
        return self._messages.about(uid, dict.fromkeys(dids), kinds)

    def _to(self, uid: str) -> Sequence[HouseMessage]:
        """The invitations that are still there."""
        return [each for each in self._messages.to(uid) if self._readers.offer(each.did, uid)]

    def _unread(self, uid: str, messages: Iterable[HouseMessage]) -> int:
        return self._messages.unread(uid, messages)

    def _asked(self, uid: str, call: Call) -> tuple[Sequence[HouseMessage], bool]:
        """The messages that are asked for, and whether there are more."""
        every = self._about(uid, told_ids(call, "dids", *DID), told(call, *TAB))
        size = natural(told(call, *SIZE), SOME, MOST)
        after = told(call, *AFTER)
        first = (natural(told(call, *NUMBER), 1, MOST) - 1) * size
        if after:
            every = older(every, after)
            first = 0
        return every[first : first + size], len(every) > first + size

    def _device(self, did: str) -> Device | None:
        try:
            return self._registry.device(did)
        except DeviceUnknown:
            return None

    def _shown(
        self, uid: str, call: Call, messages: Iterable[HouseMessage]
    ) -> list[dict[str, Any]]:
        """Messages as apps read them; about a robot that is not there any more there are none."""
        language = self._readers.language(uid)
        return [
            self._robot_message(uid, call.base_url, language, device, message)
            for message in messages
            if (device := self._device(message.did)) is not None
        ]

    def _robot_message(
        self, uid: str, base_url: str, language: str, device: Device, message: HouseMessage
    ) -> dict[str, Any]:
        title, body = self._texts.of(message, robot_name(device, base_url), language)
        known = product(device.id.model, base_url)
        return {
            "id": message.id,
            "ts": int(message.at * 1000),
            "did": message.did,
            "cid": device.id.model,
            "name": robot_name(device, base_url),
            "icon": known.get("icon", ""),
            "eventTypeId": message.about,
            "title": title,
            "body": body,
            "read": self._messages.is_read(uid, message),
            "UILogicId": known["UILogicId"],
            "type": "web",
            "url": f"{base_url}{DETAIL}?id={message.id}",
        }

    def _invitation(self, uid: str, call: Call, message: HouseMessage) -> dict[str, Any]:
        """Until it is accepted, it is called C{did} what the share is, and no name is told."""
        device, known = self._device(message.did), self._permits.may_use(uid, message.did)
        called = robot_name if known else sold_as
        name = called(device, call.base_url) if device else ""
        model = device.id.model if device else ""
        _, body = self._texts.of(message, name, self._readers.language(uid))
        return {
            "action": "shareDevice",
            "deviceName": name,
            "did": message.did if known else message.id,
            "icon": product(model, call.base_url).get("icon", ""),
            "id": message.id,
            "isRead": self._messages.is_read(uid, message),
            "message": body,
            "mid": model,
            "resource": device.id.resource if device and known else "",
            "shareStatus": STATES.get(self._readers.offer(message.did, uid), "sharing"),
            "ts": int(message.at * 1000),
        }


def robot_name(device: Device, base_url: str) -> str:
    """What a robot is called: by its owner, or by its maker."""
    return device.nick or sold_as(device, base_url)


def sold_as(device: Device, base_url: str) -> str:
    """What its maker calls it."""
    return str(product(device.id.model, base_url)["deviceName"])


def older(messages: Sequence[HouseMessage], after: str) -> Sequence[HouseMessage]:
    """
    What comes after some place in a list.

    @param after: the id of a message, or a time in milliseconds.
    """
    for index, message in enumerate(messages):
        if message.id == after:
            return messages[index + 1 :]
    if after.isdecimal() and len(after) < 16:
        return [message for message in messages if message.at * 1000 < int(after)]
    return messages


def asked_switches(call: Call) -> dict[str, bool]:
    """What is to be switched, and how; the fields have no documented names."""
    value = value_of(call, *PUSH)
    if isinstance(value, dict):
        pairs = {str(name): switch_in(each) for name, each in value.items()}
    else:
        group = told(call, "type", "msgType", "group") or GROUPS[0]
        names = told_ids(call, "dids", *DID) or [group]
        pairs = dict.fromkeys(names, switch_in(value))
    return {name: on for name, on in list(pairs.items())[:MOST_SWITCHED] if on is not None}
