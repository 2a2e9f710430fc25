"""What connections show of the set-up: who got here, by which name, and as what."""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from bumper_tw.core.setup import ADDRESS, DNS, HOME_ASSISTANT, ROBOT, TRUST, SetUp
from bumper_tw.dialect.logins import IdKind, parse_client_id
from bumper_tw.front.acquaintances import server_name
from bumper_tw.front.chronicle import Chronicle
from bumper_tw.front.contact import Contact, Outcome, Speech, clean
from bumper_tw.front.journal import Entry
from bumper_tw.front.whom import asks_as_robot, claimed, claimed_robot, is_on_this_box
from bumper_tw.interfaces import IDeviceRegistry, Undo
from bumper_tw.pki.zones import in_zone
from bumper_tw.values import Device
from bumper_tw.web.dashboard.robot_traits import name_of

#: As many who come as robots do are shown.
MOST = 8

#: What changes within so many seconds is told at once.
TOGETHER = 0.5

#: How Home Assistant calls itself over HTTP, and its library if it runs alone.
AGENT = re.compile(r"HomeAssistant/|Python/[\d.]+ aiohttp/")

#: What it asks for then (http-auth.md 4.1); a browser card of its own would ask for pages.
ASKED = ("/v1/", "/api/users/", "/api/appsvr/", "/api/iot/", "/api/lg/")

#: How it calls its device in self-hosted mode (http-auth.md 4.2).
HOMES = "HA-"

#: How the vendor's apps call theirs, which log in over MQTT in the same way (mqtt.md 2.1).
APPS = re.compile(r"GLB|IOS|ECOGLOBLE|ANDROID", re.IGNORECASE)

#: The longest name of somebody.
LONGEST = 60


class Signs:
    """
    Watches who comes, and tells the set-up.

    What comes from this box itself shows nothing of the network around it: that counts for
    robots and for Home Assistant only, which may well be here.
    """

    def __init__(
        self,
        clock: IReactorTime,
        setup: SetUp,
        chronicle: Chronicle,
        registry: IDeviceRegistry,
        is_ours: Callable[[str], bool],
    ) -> None:
        """
        @param is_ours: whether an address is one of this box, or of something inside it.
        """
        self._clock, self._setup, self._chronicle = clock, setup, chronicle
        self._is_ours = is_ours
        self._robots: OrderedDict[int, Contact] = OrderedDict()
        self._timer: IDelayedCall | None = None
        self._undo: list[Undo] = [
            chronicle.journal.watch(self._heard),
            registry.watch(self._attached),
        ]

    def stop(self) -> None:
        """Nothing more is learnt."""
        while self._undo:
            self._undo.pop()()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _attached(self, device: Device, online: bool) -> None:
        """A robot is connected: there is no better sign than that."""
        if online and self._setup.wants(ROBOT, device.id.did):
            name = clean(name_of(device), LONGEST)
            self._setup.observed(ROBOT, device.id.did, f"the robot {name}")
            self._publish()

    def _heard(self, entry: Entry) -> None:
        if not isinstance(entry, Contact):
            return
        for step, fits in SIGNS.items():
            if self._setup.wants(step, entry.number) and fits(entry):
                self._found(step, entry)
        self._note(entry)

    def asked_dns(self, host: str, local: str) -> None:
        """
        Somebody has asked the DNS server of this box for a name of the vendor's.

        @param local: at which address of ours.
        """
        if self._setup.wants(DNS, host) and not self._is_here(host, local):
            self._setup.observed(DNS, host, "a question to the DNS server of this box", host)

    def _is_here(self, host: str, local: str) -> bool:
        return is_on_this_box(host, local) or self._is_ours(host)

    def _found(self, step: str, contact: Contact) -> None:
        here = self._is_here(contact.host, contact.local)
        if step == HOME_ASSISTANT:
            self._setup.observed(step, contact.number, self._program(contact), contact.host)
        elif not here:
            label = self._chronicle.case(contact).whom.label
            self._setup.observed(step, contact.number, label, contact.host)

    def _program(self, contact: Contact) -> str:
        """Home Assistant, or what speaks like it."""
        if resource(contact).startswith(HOMES) or "HomeAssistant" in " ".join(contact.claims):
            return "Home Assistant"
        return self._chronicle.case(contact).whom.label

    # Who comes as robots do

    def _note(self, contact: Contact) -> None:
        known = contact.number in self._robots
        if self._setup.progress(ROBOT).done or not comes_as_robot(contact):
            if known:
                del self._robots[contact.number]
                self._later()
            return
        self._robots[contact.number] = contact
        self._robots.move_to_end(contact.number)
        if len(self._robots) > MOST:
            self._robots.popitem(last=False)
        self._later()

    def _later(self) -> None:
        if self._timer is None:
            self._timer = self._clock.callLater(TOGETHER, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._publish()

    def _publish(self) -> None:
        if self._setup.progress(ROBOT).done:
            self._robots.clear()
        self._setup.arrived(list(self.arrivals()))

    def arrivals(self) -> Iterator[dict[str, Any]]:
        """How it went for those who came last as robots do, the newest first."""
        for contact in reversed(self._robots.values()):
            case, found = self._chronicle.case(contact), self._chronicle.diagnosis(contact)
            yield {
                "at": contact.began,
                "host": contact.host,
                "who": clean(case.whom.label),
                "sentence": found.sentence,
                "remedy": found.remedy,
                "sound": found.sound,
            }


def has_come(contact: Contact) -> bool:
    """Whether it is clear by now what somebody wanted, as far as it will be."""
    return contact.outcome is Outcome.ACCEPTED or not contact.lasts


def by_vendors_name(contact: Contact) -> bool:
    """Whether somebody came by one of the vendor's names: his DNS leads here."""
    return has_come(contact) and in_zone((server_name(contact) or contact.called).lower())


def has_proved(contact: Contact) -> bool:
    """Whether somebody has shown that he trusts our authority."""
    return contact.trusts


def resource(contact: Contact) -> str:
    """How the device of a user is called who is logged in over MQTT; empty for anybody else."""
    if contact.speech is not Speech.MQTT or not contact.name.startswith("user "):
        return ""
    client = parse_client_id(claimed(contact)[0])
    return client.resource if client.kind is IdKind.USER else ""


def is_home_assistant(contact: Contact) -> bool:
    """Whether it is Home Assistant, or what logs in like it (mqtt.md 2.1)."""
    if contact.outcome is not Outcome.ACCEPTED:
        return False
    if contact.speech is Speech.HTTP:
        speaks = any(AGENT.match(claim) for claim in contact.claims)
        return speaks and contact.asked.startswith(ASKED)
    name = resource(contact)
    return bool(name) and not APPS.match(name)


#: What shows that a step is done; a robot shows its own by being connected.
SIGNS: dict[str, Callable[[Contact], bool]] = {
    ADDRESS: has_come,
    DNS: by_vendors_name,
    TRUST: has_proved,
    HOME_ASSISTANT: is_home_assistant,
}


def comes_as_robot(contact: Contact) -> bool:
    """Whether somebody may be a robot: by what he says, or asks for, or where he comes."""
    if contact.robot or contact.name:
        return bool(contact.robot)
    if claimed_robot(contact) or contact.told or asks_as_robot(server_name(contact).lower()):
        return True
    beside = is_on_this_box(contact.host, contact.local)
    return contact.serves in {"mqtt", "xmpp"} and not beside
