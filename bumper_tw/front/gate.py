"""What stands before a service that is to be started anew while others go on."""

from typing import Any

from twisted.internet import protocol
from twisted.internet.interfaces import IAddress, IProtocolFactory
from twisted.internet.protocol import Factory

from bumper_tw.front.contact import contact_of

#: What the journal says of whoever comes meanwhile.
MEANWHILE = "this service is being started anew"


class TurnedBack(protocol.Protocol):
    """Somebody who has come while a service is started anew; clients try again by themselves."""

    transport: Any

    def connectionMade(self) -> None:
        contact_of(self.transport).closing(MEANWHILE)
        self.transport.abortConnection()


class Gate:
    """
    Lets connections of one service in, or does not for a while.

    @ivar shut: whether nobody gets in.
    """

    def __init__(self) -> None:
        self.shut = False

    def before(self, inside: IProtocolFactory) -> "Gated":
        """
        What to listen with instead.

        @param inside: what takes the connections while the gate is open.
        """
        return Gated(self, inside)


class Gated(Factory):
    """A factory behind a gate."""

    noisy = False

    def __init__(self, gate: Gate, inside: IProtocolFactory) -> None:
        self._gate, self._inside = gate, inside

    def buildProtocol(self, addr: "IAddress | None") -> Any:
        if self._gate.shut:
            return TurnedBack()
        return self._inside.buildProtocol(addr)  # type: ignore[arg-type]  # none for UNIX
