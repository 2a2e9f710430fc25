"""
A server with the same services behind three kinds of doors, for L{benchmarks.entrance}.

Run with the folder of a certificate; prints the ports as one JSON object, and ends by SIGTERM.
One more port tells how many seconds of CPU it has used, as the kernel counts in steps of 10 ms.
"""

import json
import socket
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from time import process_time
from typing import Any

from attrs import frozen
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IProtocolFactory
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from benchmarks.mqtt_tricks import Everybody
from benchmarks.server import HOST
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.mqtt_journal import Journal as Sessions
from bumper_tw.core.mqtt_router import MqttBroker
from bumper_tw.core.mqtt_rules import MqttRules
from bumper_tw.front.contact import Speech
from bumper_tw.front.entrance import Entrance, EntranceLimits, Reception
from bumper_tw.front.journal import Journal
from bumper_tw.front.tls import TlsLayer
from bumper_tw.mqtt.factory import ConnectionLimits, MqttFactory
from bumper_tw.pki.openssl import MODERN, make_context
from bumper_tw.pki.vault import Vault
from bumper_tw.storage.memory import MemoryDeviceStore, MemoryMqttStore
from bumper_tw.web.call import Answer, json_answer
from bumper_tw.web.plain import plain_failure
from bumper_tw.web.request import Limits
from bumper_tw.web.routes import GET, Route
from bumper_tw.web.site import WebSite, build_site

#: Nothing is to be measured but the doors.
MANY = 100_000

#: What is kept of connections, as the settings have it.
REMEMBERED = 1000

#: As before there was an entrance; with one for a single protocol; with one for all of them.
DIRECT, DEDICATED, SHARED = "direct", "dedicated", "shared"
DOORS = DIRECT, DEDICATED, SHARED

#: The answer of the web has the size of a common one.
PATH, BODY = "/bench/answer", {"code": "0000", "data": {"hosts": ["x" * 30] * 20}}


@frozen
@implementer(IOpenSSLServerConnectionCreator)
class Same:
    """
    One certificate for everybody, whoever asks: neither side is to win by a smaller key.

    @ivar context: with it.
    @ivar shown: see L{Choice<bumper_tw.front.tls.Choice>}.
    """

    context: SSL.Context
    shown: str = "bench"

    def serverConnectionForTLS(self, _: TLSMemoryBIOProtocol) -> SSL.Connection:
        """For doors without an entrance."""
        return SSL.Connection(self.context, None)

    def choose(self, *_: object) -> "Same":
        """For entrances."""
        return self


def broker(reactor: Any) -> MqttFactory:
    """MQTT for everybody."""
    registry = DeviceRegistry(reactor, MemoryDeviceStore())
    router = MqttBroker(reactor, MqttRules(registry), Sessions(reactor, MemoryMqttStore()))
    limits = ConnectionLimits(
        login=300, connections=MANY, per_peer=MANY, strangers=MANY, strangers_per_peer=MANY
    )
    nobody: Any = None  # No robot connects here.
    return MqttFactory(reactor, Everybody(), router, nobody, limits, lambda size: "0" * size)


def site(reactor: Any) -> WebSite:
    """One page."""

    def answer(_: object) -> Answer:
        return json_answer(BODY)

    route = Route(PATH, GET, answer, lambda _, wrong: plain_failure(400, str(wrong)))
    return build_site([route], reactor, Limits(connections=MANY, per_peer=MANY))


def doors(reactor: Any, folder: Path) -> Iterator[tuple[str, Speech, bool, IProtocolFactory]]:
    """Each kind of door, what is spoken behind it, and whether within TLS."""
    vault = Vault(folder, [], [], lambda: datetime.now(UTC))
    same = Same(make_context(vault.credentials(), MODERN))
    # XMPP is at none of them.
    web, mqtt = site(reactor), broker(reactor).door(True)
    services: dict[Speech, IProtocolFactory] = {Speech.HTTP: web, Speech.MQTT: mqtt}
    limits = EntranceLimits(undecided=MANY, per_peer=MANY)
    reception = Reception(reactor, Journal(reactor, REMEMBERED), limits)

    def entrance(serves: str, tls: bool, inside: Mapping[Speech, Any]) -> Entrance:
        return Entrance(reception, serves, tls, TlsLayer(reactor, same, False), inside)

    for speech, service in services.items():
        for tls in (False, True):
            around = TLSMemoryBIOFactory(same, False, service, reactor) if tls else service
            yield DIRECT, speech, tls, around
            yield DEDICATED, speech, tls, entrance(speech.value, tls, {speech: service})
            yield SHARED, speech, tls, entrance("all", tls, services)


class Clock(Protocol):
    """Tells how long we have worked, and hangs up."""

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.write(repr(process_time()).encode())
        transport.loseConnection()


def port(reactor: Any, factory: IProtocolFactory) -> int:
    """
    Listen on any.

    An entrance sees to it that small messages do not wait for one another, and without one nobody
    does; here the kernel does for all, as waiting changes what they cost.
    """
    listening = reactor.listenTCP(0, factory, backlog=1000, interface=HOST)
    listening.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return int(listening.getHost().port)


def main(reactor: Any) -> None:
    """Serve."""
    ports = {
        f"{kind} {speech.value} {'tls' if tls else 'plain'}": port(reactor, factory)
        for kind, speech, tls, factory in doors(reactor, Path(sys.argv[1]))
    }
    ports["clock"] = port(reactor, Factory.forProtocol(Clock))
    print(json.dumps(ports), flush=True)
    reactor.run()


if __name__ == "__main__":
    main(import_module("twisted.internet.reactor"))
