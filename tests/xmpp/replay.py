"""Conversations said again to a server in memory, cut in every way."""

from collections.abc import Callable, Iterable
from itertools import count, pairwise

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.commands import CommandCorrelator, request_ids
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.telemetry import Telemetry
from bumper_tw.core.xmpp_adoption import Adoption
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.xmpp.factory import StreamLimits, XmppFactory
from bumper_tw.xmpp.gateway import XmppGateway
from tests.xmpp.streams import Client, TlsClient, World
from tests.xmpp.transcripts import Turn, masked

#: Cuts what is said at once into segments.
Cut = Callable[[bytes], Iterable[bytes]]


def whole(said: bytes) -> list[bytes]:
    """In one segment."""
    return [said] if said else []


def bytewise(said: bytes) -> list[bytes]:
    """In as many as there can be."""
    return [said[place : place + 1] for place in range(len(said))]


def cut_at(*places: int) -> Cut:
    """Before these bytes, where there are as many."""

    def cut(said: bytes) -> list[bytes]:
        bounds = sorted({min(place, len(said)) for place in (0, *places, len(said))})
        return [said[start:end] for start, end in pairwise(bounds)]

    return cut


class ReplayCase(SynchronousTestCase):
    """A test that says conversations again."""

    def replay(self, world: World, turns: Iterable[Turn], cut: Cut, encrypts: bool) -> None:
        """
        Have everybody say his part, and compare what everybody hears.

        @param encrypts: whether anybody begins TLS.
        """
        clients: dict[str, Client] = {}
        closed: set[str] = set()
        for turn in turns:
            if turn.party not in clients:
                clients[turn.party] = TlsClient(world) if encrypts else Client(world)
            self._speak(world, clients[turn.party], turn, cut)
            closed |= turn.closed
            for party, client in clients.items():
                heard, place = masked(client.heard()), f"{party}, after {turn.said!r}"
                self.assertEqual(heard, turn.heard.get(party, ""), place)
                self.assertEqual(client.line.over, party in closed, place)

    def _speak(self, world: World, client: Client, turn: Turn, cut: Cut) -> None:
        if turn.tls:
            assert isinstance(client, TlsClient)
            client.shake()
        for piece in cut(turn.said):
            client.send(piece)
            world.settle()
        if turn.closed:
            # Inside of TLS the other side may answer an end, and is given a moment for it.
            world.clock.advance(1)


class AdoptingWorld(World):
    """A server that repairs the permissions of robots, and may ask robots something itself."""

    def __init__(self, limits: StreamLimits, enabled: bool = True) -> None:
        super().__init__()
        clock, router, numbers = self.clock, self.router, count(1)
        registry = DeviceRegistry(clock, MemoryDeviceStore())
        commands = CommandCorrelator(clock, registry, request_ids(7))
        adoption = Adoption(clock, router.tell_as, lambda uid, did: True, enabled)
        gateway = XmppGateway(clock, router, registry, commands, Telemetry(), adoption.heard, 1)
        self.factory = XmppFactory(
            clock,
            self.door,
            router,
            gateway.robot_connected,
            limits,
            lambda size: f"{next(numbers):0{2 * size}x}",
        )
