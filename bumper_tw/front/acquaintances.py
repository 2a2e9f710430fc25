"""
Who is at which address, by what was seen there: who logged in, and what was asked for.

An address may be that of several: of a router, or of this box itself.
"""

from collections import OrderedDict, deque
from collections.abc import Callable

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from bumper_tw.front.alerts import Trouble, trouble
from bumper_tw.front.contact import Contact, Outcome, Speech
from bumper_tw.front.journal import Entry, Journal

#: As many seconds has whoever was told an address to come there.
PATIENCE = 60.0

#: How many ports of one address are remembered, with the time of the knock.
KNOCKS = 8

#: How many times are remembered that somebody left without a word, and as many seconds are
#: between two of them: who tries five times in a second has done it once.
LEAVINGS, APART = 8, 60.0

#: How many may be waited for at the same time.
EXPECTED = 200

#: Where robots and apps talk to the broker, by what is spoken there.
BROKERS = ("mqtt", "xmpp")


@define
class Acquaintance:
    """
    What is known of an address.

    @ivar robot: the did of the last robot that logged in from here.
    @ivar user: whoever else was the last to do so, as in L{Contact.name}.
    @ivar agent: what the last client over HTTP called itself.
    @ivar trusted_since: when somebody here proved to trust our authority; 0 for never.
    @ivar content_at: when somebody last went on to speak after a TLS handshake.
    @ivar present: the last connection to a broker that was let in.
    @ivar came: the last connection that was meant for a broker, let in or not.
    @ivar sent: the last that was told where to go.
    @ivar sent_since: when that was told first, nobody having come since.
    @ivar knocks: when this address came to which of our ports, the last ones.
    @ivar leavings: when somebody ended TLS without a word, having asked for which name, the
        last times since somebody went on to speak who had asked for the same.
    """

    robot: str = ""
    user: str = ""
    agent: str = ""
    trusted_since: float = 0.0
    content_at: float = 0.0
    present: Contact | None = None
    came: Contact | None = None
    sent: Contact | None = None
    sent_since: float = 0.0
    knocks: deque[tuple[float, int]] = field(factory=lambda: deque(maxlen=KNOCKS))
    leavings: deque[tuple[float, str]] = field(factory=lambda: deque(maxlen=LEAVINGS))

    def is_anybody(self) -> bool:
        """Whether somebody at this address was ever let in, or answered."""
        return bool(self.robot or self.user or self.agent)

    def came_since(self, when: float) -> bool:
        """Whether somebody was, or tried to be, connected to a broker after that time."""
        return (self.present is not None and self.present.lasts) or any(
            each is not None and max(each.began, each.ended) >= when
            for each in (self.present, self.came)
        )

    def ports_around(self, when: float, seconds: float) -> int:
        """How many of our ports it came to around that time."""
        return len({port for at, port in self.knocks if abs(at - when) <= seconds})

    def leavings_around(self, name: str, when: float, seconds: float) -> int:
        """
        How often somebody who asked for that name left without a word around that time, what
        was at once counting once.
        """
        return sum(each == name and abs(at - when) <= seconds for at, each in self.leavings)


class Acquaintances:
    """
    What is known of the addresses that were seen last.

    It costs a few attributes per change of a contact.  Whoever was told an address and does not
    come there becomes news again after L{PATIENCE}, as nothing else happens then.
    """

    def __init__(
        self,
        clock: IReactorTime,
        journal: Journal,
        named: Callable[[str], str] = lambda _: "",
        most: int = 1000,
    ) -> None:
        """
        @param named: what its owner calls a robot, by its did; empty when there is no name.
        @param most: addresses are remembered.
        """
        self._clock, self._journal, self.named, self._most = clock, journal, named, most
        self._known: OrderedDict[str, Acquaintance] = OrderedDict()
        self._expected: deque[tuple[float, Contact]] = deque(maxlen=EXPECTED)
        self._timer: IDelayedCall | None = None
        self._unwatch = journal.watch(self._heard)

    def at(self, host: str) -> Acquaintance:
        """What is known of an address."""
        return self._known.get(host) or Acquaintance()

    def stop(self) -> None:
        """Nothing new is learnt from now on."""
        self._unwatch()
        self._expected.clear()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _heard(self, entry: Entry) -> None:
        if isinstance(entry, Contact):
            LESSONS[entry.outcome](self._meet(entry.host), entry)
            if entry.told or entry.trusts:
                self._note(self._known[entry.host], entry)

    def _meet(self, host: str) -> Acquaintance:
        known = self._known.get(host)
        if known is None:
            known = self._known[host] = Acquaintance()
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(host)
        return known

    def _note(self, known: Acquaintance, contact: Contact) -> None:
        if contact.trusts and not known.trusted_since:
            known.trusted_since = contact.began
        if contact.told and known.sent is not contact and contact.lasts:
            self._send(known, contact, self._clock.seconds())

    def _send(self, known: Acquaintance, contact: Contact, now: float) -> None:
        """It was told where to go; asking again does not begin the waiting anew."""
        if known.sent is None or known.came_since(known.sent.began):
            known.sent_since = now
        known.sent = contact
        self._expected.append((now + PATIENCE, contact))
        self._wind()

    def _wind(self) -> None:
        if self._expected and (self._timer is None or not self._timer.active()):
            wait = max(0.0, self._expected[0][0] - self._clock.seconds())
            self._timer = self._clock.callLater(wait, self._ring)

    def _ring(self) -> None:
        now = self._clock.seconds()
        while self._expected and self._expected[0][0] <= now:
            _, contact = self._expected.popleft()
            if not self.at(contact.host).came_since(contact.began):
                contact.changed(contact)
        self._wind()


def server_name(contact: Contact) -> str:
    """The name that was asked for; empty for none."""
    return contact.hello.server_name if contact.hello is not None else ""


def left_silently(contact: Contact) -> bool:
    """Whether the other side ended TLS, before it was there or at once then, without a word."""
    if contact.lasts:
        return False
    if contact.outcome is Outcome.TLS_FAILED:
        return trouble(contact.alert) is Trouble.GONE
    return contact.outcome in {Outcome.HANDSHAKE, Outcome.SECURED} and not contact.by_us


def _leave(known: Acquaintance, contact: Contact) -> None:
    name = server_name(contact)
    before = max((at for at, each in known.leavings if each == name), default=0.0)
    if left_silently(contact) and contact.began - before >= APART:
        known.leavings.append((contact.began, name))


def _knock(known: Acquaintance, contact: Contact) -> None:
    if contact.lasts:
        known.knocks.append((contact.began, contact.local_port))


def _shake(known: Acquaintance, contact: Contact) -> None:
    # As long as it lasts, nobody knows whether it is meant for a broker.
    if not contact.lasts:
        known.came = contact
        _leave(known, contact)


def _hear(known: Acquaintance, contact: Contact) -> None:
    if contact.speech is Speech.HTTP:
        known.agent = contact.claims[-1] if contact.claims else known.agent
    elif contact.speech is not Speech.OTHER:
        known.came = contact
    if contact.tls:
        known.content_at = max(known.content_at, contact.began)
        _forgive(known, server_name(contact))


def _forgive(known: Acquaintance, name: str) -> None:
    """Whoever asks for that name is content."""
    if any(each == name for _, each in known.leavings):
        others = [leaving for leaving in known.leavings if leaving[1] != name]
        known.leavings.clear()
        known.leavings.extend(others)


def _accept(known: Acquaintance, contact: Contact) -> None:
    _hear(known, contact)
    if contact.speech is not Speech.HTTP:
        known.present = contact
    if contact.robot:
        known.robot = contact.robot
    elif contact.name:
        known.user = contact.name


def _fail(known: Acquaintance, contact: Contact) -> None:
    if contact.outcome is Outcome.TLS_FAILED or contact.serves in BROKERS:
        known.came = contact
    _leave(known, contact)


#: What is learnt from a contact that has got so far.
LESSONS: dict[Outcome, Callable[[Acquaintance, Contact], None]] = {
    **dict.fromkeys(Outcome, _fail),
    Outcome.SILENT: _knock,
    Outcome.HANDSHAKE: _shake,
    Outcome.SECURED: _shake,
    Outcome.CHOSEN: _hear,
    Outcome.ACCEPTED: _accept,
}
