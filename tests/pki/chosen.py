"""The server's end of TLS with a certificate that was chosen, as the front makes it."""

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from bumper_tw.pki.contexts import ContextChooser

HOST = "192.168.7.44"


@implementer(IOpenSSLServerConnectionCreator)
class Chosen:
    """Twisted's factory asks this for one end, as the front does once it has read a hello."""

    def __init__(self, chooser: ContextChooser, asked: str = "") -> None:
        self.choice = chooser.choose(asked, HOST)

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """Make one end."""
        del tlsProtocol
        return SSL.Connection(self.choice.context, None)
