"""Where XMPP and our own nouns meet: stanzas become replies and reports, commands stanzas."""

from collections.abc import Callable

from attrs import evolve
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from bumper_tw.core.identity import claimed_robot
from bumper_tw.core.presence import RobotPresence
from bumper_tw.core.repeats import Repeats
from bumper_tw.core.robot_reports import RobotReports
from bumper_tw.core.xmpp_services import ctl_number
from bumper_tw.dialect import controls, job_dates, reports_xml, stanzas
from bumper_tw.dialect.controls import Control
from bumper_tw.dialect.domains import ATOM
from bumper_tw.errors import AnswerGarbled, LoginRefused
from bumper_tw.interfaces import ICommandCorrelator, IDeviceRegistry, ITelemetry
from bumper_tw.values import Company, Device, DeviceId, PayloadKind, Principal
from bumper_tw.wire.xmpp_jid import Jid, parse_jid
from bumper_tw.wire.xmpp_stanzas import Stanza
from bumper_tw.xmpp.dialogue import OURSELVES, Asked, Dialogue, XmppLink, numbers
from bumper_tw.xmpp_interfaces import IXmppRouter

#: Called for each refusal of a robot: which one, its C{td}, C{error} and C{admin}, and whom it
#: has refused; tells whether the robot was just told to obey him (xmpp.md 12).
Adopt = Callable[[DeviceId, str, str, str, Jid], bool]

#: Told of each report of a robot: its did, the C{td}, and what writes the C{ctl} element.
Overhear = Callable[[str, str, Callable[[], bytes]], None]

#: Seconds within which a robot tells all of its users the same; what it repeats then is no news.
COPIES = 1.0

#: The C{ctl} id of the last of the three requests that make a robot obey somebody.
REPAIRED = stanzas.ADOPTION[-1]

#: An address that is none.
NOBODY = Jid("", "")


class XmppGateway:
    """
    Hears all that robots say, and attaches robots that connect.

    Which robot has said something is known from its stream, whatever it wrote into the stanza.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        router: IXmppRouter,
        registry: IDeviceRegistry,
        commands: ICommandCorrelator,
        telemetry: ITelemetry,
        adopt: Adopt,
        start: int = 0,
        overhear: Overhear = lambda *_: None,
    ) -> None:
        """
        @param start: where the numbers of questions begin; see L{numbers}.
        """
        self._clock, self._router = clock, router
        self._registry, self._commands, self._adopt = registry, commands, adopt
        self._reports = RobotReports(clock, registry, telemetry)
        self._numbers, self._overhear = numbers(start), overhear
        self._told: dict[str, tuple[int, float]] = {}
        self._links: dict[str, XmppLink] = {}
        self._wedged = Repeats(clock)
        router.listen(self._said)

    def robot_connected(self, who: Principal) -> RobotPresence:
        """
        Register a robot and make it reachable.

        @raise LoginRefused: there are too many robots, or meanwhile the name has become
            that of another one.
        """
        if claimed_robot(self._registry, who.name, who.realm) != evolve(who.device, resource=ATOM):
            raise LoginRefused("another robot has come under that name meanwhile")
        device = Device(
            evolve(who.device, resource=ATOM),
            name=who.label or who.name,
            company=Company.XMPP,
            kind=PayloadKind.XML,
            bound_at=self._clock.seconds(),
        )
        did = device.id.did
        dialogue = self._dialogue(device.id)
        link = XmppLink(dialogue)
        detach = self._registry.attach(device, link)
        self._links[did] = link
        dialogue.wait()
        self._reports.connected(did)
        return RobotPresence(
            device.id, dialogue.listening, lambda: self._detach(did, link, detach), self._commands
        )

    def _dialogue(self, device: DeviceId) -> Dialogue:
        """A robot that comes back may still answer what it was asked before."""
        before = self._known(device)
        if before is not None and before.device == device:
            return before
        if before is not None:
            before.end()
        return Dialogue(self._clock, self._router.tell, device, self._numbers)

    def _known(self, device: DeviceId) -> Dialogue | None:
        """What was asked a robot of that name."""
        link = self._links.get(device.did)
        return None if link is None else link.dialogue

    def _detach(self, did: str, link: XmppLink, detach: Callable[[], bool]) -> bool:
        # Over MQTT somebody may have come under that name meanwhile.
        if self._links.get(did) is link:
            del self._links[did]
            link.dialogue.end()
            self._told.pop(did, None)
        return detach()

    def _said(self, device: DeviceId, stanza: Stanza) -> None:
        """A robot has said something to somebody."""
        kind = stanza.attributes.get("type")
        if kind == "error":
            self._failed(device, stanza)
        elif kind in {"set", "result"}:
            self._take_in(device, stanza)

    def _failed(self, device: DeviceId, stanza: Stanza) -> None:
        """A robot has not even looked at a question; others are told theirs by the router."""
        dialogue, stanza_id = self._known(device), stanza.attributes.get("id", "")
        if dialogue is None or not is_for_us(addressee(stanza)):
            return
        asked = dialogue.answered(stanza_id)
        if asked is not None:
            name, condition = asked.command.name, controls.condition(stanza.raw)
            why = AnswerGarbled(f"{device.did} answered {name} with an error: {condition}")
            self._commands.failed(device, name, asked.request, why)

    def _take_in(self, device: DeviceId, stanza: Stanza) -> None:
        number, *rest = around_number(stanza.raw)
        again = self._is_repeated(device.did, hash(tuple(rest)))
        if again and not matters_again(stanza, number):
            return
        try:
            if stanza.child is not None and stanza.child[0] == stanzas.NS_SF:
                self._reports.record(device.did, [controls.alert(stanza.raw)])
            else:
                self._heard(device, stanza, controls.read(stanza.raw), again)
        except ValueError as why:
            self._log.debug("{did} sent what cannot be read: {why}", did=device.did, why=why)

    def _is_repeated(self, did: str, told: int) -> bool:
        """
        Whether a robot has said that just now: it tells each of its users the same, and an app
        that asks all the time.
        """
        now = self._clock.seconds()
        before, at = self._told.get(did, (0, -COPIES))
        if told == before and now - at < COPIES:
            return True
        self._told[did] = told, now
        return False

    def _heard(self, device: DeviceId, stanza: Stanza, control: Control, again: bool) -> None:
        to, dialogue = addressee(stanza), self._known(device)
        asked = dialogue.answered(*answers(stanza, control, to)) if dialogue else None
        if self._is_put_off(device, control, to, asked):
            return
        if asked is not None:
            body = controls.reply_body(control)
            self._commands.replied(device, asked.command.name, asked.request, body)
        if dialogue is not None and control.id == REPAIRED:
            dialogue.repaired()
        if control.errno == controls.WEDGED and control.ret == "fail":
            self._complain(device.did)
        self._record(device, control, subject(stanza, to, asked))
        if dialogue is not None and asked is None and control.td and not (control.id or again):
            self._overhear(device.did, control.td, control.written)

    def _is_put_off(
        self, device: DeviceId, control: Control, to: Jid, asked: Asked | None
    ) -> bool:
        """
        See to it that a robot which refuses somebody obeys him.

        @return: whether that was our own question, which is asked again when that is done.
        """
        if control.errno != controls.DENIED:
            return False
        begun = self._adopt(device, control.td, control.error, control.admin, to)
        dialogue = self._known(device)
        if asked is None or asked.again or dialogue is None:
            return False
        put_off = begun or dialogue.in_repair
        if put_off:
            dialogue.hold(asked)
        return put_off

    def _complain(self, did: str) -> None:
        """A robot does nothing any more until somebody goes there (xmpp.md 12)."""
        if self._wedged.say(did) is not None:
            self._log.warn("{did} is stuck; press the button on it", did=did)

    def _record(self, device: DeviceId, control: Control, name: str) -> None:
        job, now = self._reports.job(device.did), self._clock.seconds()
        said = job_dates.dated(controls.read_as(device.model, control.element), job, now)
        self._reports.record(device.did, reports_xml.readings(name, said))


def addressee(stanza: Stanza) -> Jid:
    """Whom a stanza is for; L{NOBODY} when it does not say, or nobody can be called so."""
    try:
        return parse_jid(stanza.attributes.get("to", ""))
    except ValueError:
        return NOBODY


def is_for_us(to: Jid) -> bool:
    """Whether we may be meant: by name, or by none."""
    return not to.local or to.key == OURSELVES.key


def around_number(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """The number that an answer has, empty for an event, and what is before and behind it."""
    start, place = max(0, raw.find(b"<ctl")), ctl_number(raw)
    if place is None:
        return b"", raw[start:], b""
    begin, end = place
    return raw[begin:end], raw[start:begin], raw[end:]


def matters_again(stanza: Stanza, number: bytes) -> bool:
    """Whether what a robot repeats counts each time: what may answer us, and refusals."""
    ours = is_for_us(addressee(stanza)) or number == REPAIRED.encode()
    return ours or b"errno" in stanza.raw


def answers(stanza: Stanza, control: Control, to: Jid) -> tuple[str, ...]:
    """
    Under what numbers a stanza may answer a question of ours.

    What a robot answers to somebody else is no answer to us: the numbers of others are theirs
    to choose.
    """
    if not is_for_us(to):
        return ()
    if stanza.attributes.get("type") == "result":
        return control.id, stanza.attributes.get("id", "")
    return (control.id,)


def subject(stanza: Stanza, to: Jid, asked: Asked | None) -> str:
    """What an answer is about, if we know the question; otherwise it has to tell itself."""
    if asked is not None:
        return asked.command.name
    greeted = stanza.attributes.get("id") == stanzas.DEVICE_INFO and not to.local
    return "DeviceInfo" if greeted and stanza.attributes.get("type") == "result" else ""
