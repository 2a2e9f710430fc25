"""One simulated XMPP robot: a machine, its words, its users and its connection (robots.md 7)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from bumper_tw.simulator import xmpp_words as words
from bumper_tw.simulator.any_robot import AnyRobot
from bumper_tw.simulator.happenings import Happening
from bumper_tw.simulator.identity import Identity
from bumper_tw.simulator.state import Activity
from bumper_tw.simulator.timers import Timers
from bumper_tw.simulator.xmpp_checks import XmppChecks
from bumper_tw.simulator.xmpp_client import Habits
from bumper_tw.simulator.xmpp_dialect import (
    NO_MORE_ERRORS,
    WHEEL_ERROR,
    XmppDialect,
)
from bumper_tw.simulator.xmpp_link import IXmppLinkUser, XmppLink
from bumper_tw.simulator.xmpp_lookup import Dial, Lookup
from bumper_tw.simulator.xmpp_orders import Delays, Orders
from bumper_tw.simulator.xmpp_profile import Search, XmppFaults, XmppProfile
from bumper_tw.simulator.xmpp_users import UserList
from bumper_tw.simulator.xmpp_xml import CONTROL, PING, Element, Opened

LATENCY = (0.05, 0.2)
"""Seconds between an acknowledgement and its answer (robots.md 7.3, 2)."""

PRESENT_WITHIN = (0.5, 1.0)
UNDOCK_AFTER = 1.0
FLOOD_EVENT = "BatteryInfo"
BATTERY_EVERY = 300
ALL_CLEAR_AFTER = 2.0


@implementer(IXmppLinkUser)
class XmppRobot(AnyRobot[XmppLink]):
    """
    A first-generation robot on the wire; its C{transcript} has the HTTP of the lookup too.

    @ivar users: whom it obeys
    @ivar faults: its misbehaviour, changeable at any time
    """

    def __init__(
        self,
        reactor: IReactorTime,
        dial: Dial,
        search: Search,
        identity: Identity,
        profile: XmppProfile | None = None,
        speed: float = 1.0,
        seed: int = 0,
        latency: tuple[float, float] = LATENCY,
    ) -> None:
        """
        @param dial: gives the clear-text endpoint of a host and port; TLS is the robot's own
        @param search: where the server, or who knows where it is
        @param speed: how fast its time goes; the connection keeps real time
        @param latency: shortest and longest time before an answer, in its own seconds;
            zeros answer while the command is being read
        """
        profile = profile or XmppProfile()
        super().__init__(reactor, identity, speed, seed, FLOOD_EVENT, UNDOCK_AFTER)
        self.profile, self.faults = profile, XmppFaults()
        self._clock, self._names = reactor, words.Names.of(identity)
        self.users = UserList(identity.owner, profile.permission)
        self._dialect = XmppDialect.of(self.machine, identity, profile, self.users)
        self._checks = XmppChecks(
            self._names, identity.owner, profile.server_ping, self.violations, Timers(reactor)
        )
        self._link = XmppLink(
            *(reactor, self, self.transcript, self.violations),
            dial,
            Lookup(reactor, dial, search, self._rng, self.transcript, self.violations),
            Habits(identity, profile, self.faults),
        )
        self._orders = Orders(
            self._dialect,
            self.users,
            profile,
            self.faults,
            self.violations,
            self._timers,
            self._network,
            Delays(self._rng, *latency),
            self._link,
        )
        self._present = False

    @property
    def farewell(self) -> bool:
        """Whether the server closed its stream before the last connection ended."""
        return self._link.farewell

    def report(self, name: str) -> None:
        self._tell(self._dialect.report(name))

    def wheel(self) -> None:
        """Report a broken wheel, which has the number of a refused permission (xmpp.md 12)."""
        self._tell(WHEEL_ERROR)

    def link_opened(self, header: Opened) -> None:
        self._checks.opened(header)

    def link_up(self, jid: str) -> None:
        self._checks.bound(jid)
        self._present = False
        self._network.after(self._rng.uniform(*PRESENT_WITHIN), self._greet, "greeting")
        self._timers.every(BATTERY_EVERY, self._battery, "battery")

    def link_down(self) -> None:
        self._checks.ended()
        self._forget_work()

    def link_heard(self, stanza: Element) -> None:
        self._checks.stanza(stanza)
        first = stanza.first
        space = "" if first is None else first.namespace
        if stanza.name == "presence":
            self._checks.presence(stanza)
            return
        hears = self._HEARS.get((stanza.get("type"), space))
        if stanza.name == "iq" and hears is not None:
            hears(self, stanza)

    def _forget_work(self) -> None:
        self._timers.drop_all()
        self._network.drop("greeting")
        self._orders.forget()

    def _greet(self, pong: bytes = b"") -> None:
        # Glued to the first pong, if there was a ping already (robots.md 7.1, 4).
        self._present = True
        self._network.drop("greeting")
        self._checks.present()
        self._link.send(words.PRESENCE + pong)

    def _pinged(self, iq: Element) -> None:
        sender = iq.get("from")
        if "@" in sender:
            self._link.send(words.result(sender, iq.get("id")))
            return
        self._checks.pinged(self._clock.seconds())
        pong = words.pong(self._names, iq.get("id"))
        if self._present:
            self._link.send(pong)
        else:
            self._greet(pong)

    def _commanded(self, iq: Element) -> None:
        query, sender = iq.first, iq.get("from")
        ctl = None if query is None else query.first
        self._checks.sender(sender)
        if ctl is None or ctl.name != "ctl" or not sender:
            self.violations.add("a query without ctl, or from nobody")
        elif (ctl.get("td"), sender) == ("GetDeviceInfo", words.SERVER):
            self._checks.device_info()
            self._link.send(words.result(sender, iq.get("id")))
        else:
            self._orders.take(sender, iq.get("id"), ctl)

    def _happened(self, happening: Happening) -> None:
        event = self._dialect.event(happening) if self._link.up else None
        if event is not None:
            self._tell(event)
        if happening is Happening.ERROR and self._link.up:
            self._alarm()

    def _alarm(self) -> None:
        # robots.md 7.3: the error is taken back soon, whether or not it is gone.
        self._timers.drop("all clear")
        if self.state.errors:
            self._timers.after(ALL_CLEAR_AFTER, partial(self._tell, NO_MORE_ERRORS), "all clear")
            stamp = int(self.machine.now() * 1000)
            number = self._link.number()
            self._link.send(words.alert(self._names, number, self.users.newest, stamp))

    def _battery(self) -> None:
        charging = self.state.docked and self.state.battery < 100
        if charging or self.state.activity is not Activity.IDLE:
            self.report("BatteryInfo")

    def _tell(self, ctl: bytes) -> None:
        # Events a command causes follow its answer (robots.md 7.3, 3).
        if not self._orders.hold(partial(self._tell, ctl)) and self._link.up:
            spoilt = self.faults.payload("", ctl)
            for user in self.users.addressees():
                self._link.send(words.control(user, self._link.number(), spoilt))

    _HEARS: ClassVar[dict[tuple[str, str], Callable[[XmppRobot, Element], None]]] = {
        ("get", PING): _pinged,
        ("set", CONTROL): _commanded,
    }
