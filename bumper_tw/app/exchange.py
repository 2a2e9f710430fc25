"""The XMPP side, put together: who is let in, who is heard by whom, and what robots tell us."""

from collections.abc import Callable
from random import SystemRandom
from secrets import token_hex
from typing import Any

from attrs import frozen

from bumper_tw.app.settings import Settings, XmppSettings
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.xmpp_adoption import Adoption
from bumper_tw.core.xmpp_router import XmppRouter
from bumper_tw.core.xmpp_switchboard import RouterLimits
from bumper_tw.interfaces import IAuthenticator, ICommandCorrelator, ITelemetry
from bumper_tw.values import Role
from bumper_tw.wire.xmpp_stanzas import StanzaLimits
from bumper_tw.xmpp.dialogue import SPACE
from bumper_tw.xmpp.factory import StreamLimits, XmppFactory
from bumper_tw.xmpp.gateway import Overhear, XmppGateway


@frozen
class Exchange:
    """
    The router with everything around it.

    @ivar factory: what listens.
    """

    factory: XmppFactory
    router: XmppRouter


def exchange(
    reactor: Any,
    settings: Settings,
    identity: IAuthenticator,
    registry: DeviceRegistry,
    commands: ICommandCorrelator,
    telemetry: ITelemetry,
    permitted: Callable[[str, str], bool],
    overhear: Overhear,
) -> Exchange:
    """
    The XMPP side, with our own ears at it.

    @param permitted: whether a user, by uid, belongs to those who may command a robot, by did.
    @param overhear: is told of the reports of robots, for whoever does not speak XMPP.
    """
    xmpp = settings.xmpp
    router = XmppRouter(
        reactor, router_limits(settings), lambda who, did: permitted(who.name, did)
    )
    adoption = Adoption(reactor, router.tell_as, permitted, xmpp.adopt_robots)
    start = SystemRandom().randrange(SPACE)
    gateway = XmppGateway(
        reactor, router, registry, commands, telemetry, adoption.heard, start, overhear
    )
    factory = XmppFactory(
        reactor, identity, router, gateway.robot_connected, stream_limits(xmpp), token_hex
    )
    registry.when_forgotten(
        lambda did: factory.dismiss(lambda who: who.role is Role.ROBOT and who.name == did)
    )
    return Exchange(factory, router)


def router_limits(settings: Settings) -> RouterLimits:
    """How stanzas are passed on, and to how many."""
    xmpp = settings.xmpp
    return RouterLimits(
        fanout=xmpp.fanout_events,
        backlog=xmpp.backlog_bytes,
        sessions=xmpp.sessions_per_user,
        takeovers=settings.identity.takeovers_per_minute,
    )


def stream_limits(xmpp: XmppSettings) -> StreamLimits:
    """What an XMPP connection may cost."""
    return StreamLimits(
        stanza=StanzaLimits(
            size=xmpp.max_stanza,
            depth=xmpp.max_depth,
            attributes=xmpp.max_attributes,
            elements=xmpp.max_elements,
        ),
        login=xmpp.login_seconds,
        ping=xmpp.ping_seconds,
        silence=xmpp.silence_seconds,
        connections=xmpp.connections,
        per_peer=xmpp.connections_per_peer,
        strangers=xmpp.strangers,
        strangers_per_peer=xmpp.strangers_per_peer,
        tls_users=xmpp.require_tls_users,
        tls_robots=xmpp.require_tls_robots,
    )
