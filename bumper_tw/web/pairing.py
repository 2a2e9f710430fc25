"""The pairing wizard of the app: what can be paired, how, and whether it is done."""

from collections.abc import Callable, Mapping
from typing import Any

from bumper_tw.core.pairing import PairingDesk
from bumper_tw.dialect import pairing
from bumper_tw.dialect.envelopes import app_ok, to_json, todo_ok
from bumper_tw.dialect.pairing import Branch, Family, Pairable
from bumper_tw.values import Device
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.commands import Function
from bumper_tw.web.devices import Todo
from bumper_tw.web.engine.template import NO_STORE
from bumper_tw.web.failures import portal_failure
from bumper_tw.web.pictures import GUIDES
from bumper_tw.web.routes import ANY, GET, Route
from bumper_tw.web.told import value_of

#: What stands in the lists, which are made once, for the name that a client has for this box.
HOST, BASE_URL = "{host}", "{base_url}"

#: Texts of the wizard's pages by their pictures: title, what to do, what the button says.
POWER = ("power", "Switch the robot on", "Put it on its station, or switch it on itself.", "Next")
PRESS = (
    "press",
    "Start the network set-up",
    "Press its reset button for a second, until it says that it is ready for the network.",
    "It is ready",
)
SCAN = (
    "qcode",
    "Read the code",
    "It is on the robot: below the lid, or on the underside.",
    "Next",
)
SHOW = ("qcode", "Show the code", "Hold the code on this screen in front of its camera.", "Next")
SERIAL = ("qcode", "The serial number", "It is printed beside the code on the robot.", "Next")
TAKEN = (
    "press",
    "Somebody else has this robot",
    "Ask its owner to share it with you, or to remove it.",
    "Next",
)
#: What the wizard goes through, as far as the table says so.
STEPS = (POWER, PRESS)

#: The picture ids by the names of the pictures.
IDS = {name: known for known, name in GUIDES.items()}

Text = tuple[str, str, str, str]
Body = dict[str, Any]


class PairingRoutes:
    """
    The catalogue of the wizard, and the wizard's questions.

    @param user: lets those through who may use the portal, and says who it is.
    """

    def __init__(self, desk: PairingDesk, user: Callable[[Call], str]) -> None:
        self._desk, self._user = desk, user
        self._made: dict[str, bytes] = {}

    def routes(self) -> tuple[Route, ...]:
        """PC02, PC03, PC04 and PC06."""
        pim = "/api/pim/product/"
        return (
            Route(pim + "getConfigGroups", ANY, self.groups, portal_failure),
            Route("/api/appsvr/product/getConfigGroups", ANY, self.groups, portal_failure),
            Route(pim + "getConfignetAll", ANY, self.flat, portal_failure),
            Route(pim + "entry/group", GET, tree, portal_failure),
        )

    def app_todos(self) -> dict[str, Todo]:
        """What C{app.do} does about pairing (http-endpoints.md 3.6)."""
        return {"DecodeQrCode": self.decode}

    def functions(self) -> dict[str, Function]:
        """What C{devmanager.do} does about it (http-devices.md 3.6)."""
        return {"PreWifiConfig": self.prepare, "PollSCResult": self.poll}

    def groups(self, call: Call) -> Answer:
        """PC02: the picker, by families."""
        return self._kept("groups", call, lambda: groups_body(HOST, BASE_URL))

    def flat(self, call: Call) -> Answer:
        """PC04: the picker of older apps."""
        return self._kept("flat", call, lambda: flat_body(BASE_URL))

    def _kept(self, name: str, call: Call, made: Callable[[], Body]) -> Answer:
        if name not in self._made:
            self._made[name] = to_json(made())
        # Neither has anything in it that JSON would have to escape.
        whole = self._made[name].replace(BASE_URL.encode(), call.base_url.encode())
        return Answer(whole.replace(HOST.encode(), call.host.encode()), headers=NO_STORE)

    def decode(self, call: Call, body: Mapping[str, Any]) -> Answer:
        """
        What the code on a robot says.

        @raise LoginRefused: nobody who may ask.
        """
        text = body.get("qrcode")
        code = pairing.read_code(text) if isinstance(text, str) else None
        if code is None:
            return json_answer(todo_ok({}))
        self._desk.looked_up(self._user(call), code.class_id)
        told = code_body(code, call.host, call.base_url)
        return Answer(to_json(todo_ok(told)), headers=NO_STORE)

    def prepare(self, call: Call, _: Mapping[str, Any]) -> Answer:
        """
        C{PreWifiConfig}: a robot is about to be paired.

        @raise LoginRefused: nobody who may ask.
        """
        self._desk.prepare(self._user(call))
        return json_answer({"ret": "ok"})

    def poll(self, call: Call, _: Mapping[str, Any]) -> Answer:
        """
        C{PollSCResult}: is it here?  An app that reads no C{did} asks again.

        @raise LoginRefused: nobody who may ask.
        """
        key = value_of(call, "sck")
        uid = self._user(call)
        device = self._desk.poll(uid, key) if isinstance(key, str) else None
        return json_answer({"ret": "ok", **(found(device) if device else {})})


def found(device: Device) -> Body:
    """The robot that came (http-devices.md 3.6)."""
    return {
        "did": device.id.did,
        "type": device.id.model,
        "resource": device.id.resource,
        "name": device.name,
    }


def groups_body(host: str, base_url: str) -> Body:
    """S3 around the families, without C{ret} (http-endpoints.md 5.2)."""
    families = pairing.table().families
    return listed([family_body(each, host, base_url) for each in families], base_url)


def flat_body(base_url: str) -> Body:
    """The same around the flat list (http-endpoints.md 5.3)."""
    return listed([flat_robot(each, base_url) for each in pairing.table().flat], base_url)


def listed(data: list[Body], base_url: str) -> Body:
    """What both lists are wrapped in."""
    faq = faq_links(base_url, "lang=en&defaultLang=en")
    return {"code": 0, "msg": "success", "configFAQ": faq, "data": data}


def faq_links(base_url: str, query: str) -> dict[str, str]:
    """Where somebody reads on to whom it does not happen."""
    pages = {
        "wifiFAQUrl": "faqproblem",
        "notFoundAPUrl": "findDbWifi",
        "configFailedUrl": "configfail",
    }
    return {name: f"{base_url}/api/pim/{page}.html?{query}" for name, page in pages.items()}


def family_body(family: Family, host: str, base_url: str) -> Body:
    """One family."""
    robots = [group_robot(each, host, base_url) for each in family.robots]
    return {"id": family.id, "name": family.name, "sort": family.sort, "robots": robots}


def group_robot(robot: Pairable, host: str, base_url: str) -> Body:
    """A robot in a family: 20 keys, all of them always."""
    return {
        **common(robot, base_url),
        "seriesId": robot.series_id,
        "category": robot.category,
        "mid": robot.class_id,
        "service": {"jmq": host},
        "products": [],
        "cusSteps": {},
    }


def flat_robot(robot: Pairable, base_url: str) -> Body:
    """A robot in the flat list: 17 keys."""
    steps = {"scanQRStep": SCAN, "input_sn_img": SERIAL, "occupy": TAKEN}
    return {
        **common(robot, base_url),
        "mid": robot.class_id,
        "ota": robot.ota,
        "customSteps": {name: step(text, base_url) for name, text in steps.items()},
    }


def common(robot: Pairable, base_url: str) -> Body:
    """What both lists say of a robot."""
    return {
        "groupId": robot.group_id,
        "groupName": robot.name,
        "sort": robot.sort,
        "isPopular": robot.popular,
        "belongApp": list(robot.apps),
        "smartType": robot.smart_type,
        "smartTypes": list(robot.smart_types),
        "failCount": robot.fail_count,
        "checkTips": robot.check_tips,
        "materialNo": robot.material_no,
        "supportVer": {"Android": robot.android, "IOS": robot.ios, "Harmony": robot.harmony},
        "icon": f"{base_url}/api/pim/file/get/{robot.icon_id}",
        "steps": [step(text, base_url) for text in STEPS[: robot.steps]],
        "qrpStep": step(SHOW, base_url) if "QRP" in robot.smart_type else {},
    }


def step(text: Text, base_url: str) -> dict[str, str]:
    """One page of the wizard."""
    picture, title, guide, button = text
    return {
        "guideImageType": "image",
        "guideImageId": IDS[picture],
        "title": title,
        "guideText": guide,
        "retryText": "",
        "confirmText": "",
        "btnText": button,
        "mid": "",
        "guideImageUrl": f"{base_url}/api/pim/file/get/{IDS[picture]}",
    }


def code_body(code: pairing.Code, host: str, base_url: str) -> Body:
    """What the wizard does with a code (http-endpoints.md 3.6)."""
    robot = pairing.robot(code.class_id)
    return {
        "supportApp": "global",
        "belongApp": ["ecoglobal", "yeedi"],
        "supportRegion": "International",
        "qrType": "config",
        "productCategory": robot.category if robot else None,
        "code_sn": code.serial,
        "configGuide": guide(robot, host, base_url) if robot else None,
        "configFAQ": faq_links(base_url, "lang=en&defaultLang=iotclient_lang_english"),
    }


#: What a robot in the list has and one that was found by its code has not, and
LEFT_OUT = frozenset({"groupId", "service", "products", "smartTypes", "icon", "sort"})
#: what is spelt differently there.
RENAMED = {"groupName": "name", "cusSteps": "customSteps"}


def guide(robot: Pairable, host: str, base_url: str) -> Body:
    """A robot of the list as it stands behind a code."""
    listed_as = group_robot(robot, host, base_url)
    return {
        RENAMED.get(key, key): value for key, value in listed_as.items() if key not in LEFT_OUT
    }


def tree(_: Call) -> Answer:
    """PC06: what there is help for."""
    return json_answer(app_ok([branch(each) for each in pairing.tree()]))


def branch(knot: Branch) -> Body:
    """One knot of the tree, with all that hangs on it."""
    children = [branch(each) for each in knot.children]
    return {"id": knot.id, "hidden": 0, "name": knot.name, "child": children}
