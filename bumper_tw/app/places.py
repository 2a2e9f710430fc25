"""Where listeners are reached, for whoever is told to go there."""

from collections.abc import Iterable, Iterator

from attrs import frozen

from bumper_tw.app.lifecycle import Doors
from bumper_tw.app.ports import host_of, port_of
from bumper_tw.app.settings import Listen
from bumper_tw.web.call import in_brackets

#: How this machine calls itself.
HERE = "127.0.0.1"

#: Ports that browsers need not be told.
USUAL = {"http": 80, "https": 443}


@frozen
class Place:
    """Where a listener is reached."""

    listen: Listen
    host: str
    port: int

    @property
    def tls(self) -> bool:
        """Whether it is spoken within TLS."""
        return self.listen.tls

    def speaks(self, what: str) -> bool:
        """Whether it is C{web}, C{mqtt} or C{xmpp} that is spoken there."""
        return self.listen.speaks(what)

    def url(self, scheme: str) -> str:
        """
        The same as a URL.

        @param scheme: without TLS; an C{s} behind it means with.
        """
        whole = f"{scheme}{'s' if self.tls else ''}"
        port = "" if USUAL.get(whole) == self.port else f":{self.port}"
        return f"{whole}://{in_brackets(self.host)}{port}"


def places(doors: Doors, here: str = HERE) -> Iterator[Place]:
    """
    Where TCP is listened for: at the port that was bound, or else will be.

    @param here: where this machine is reached, if it listens everywhere.
    """
    for listen, listener in doors:
        port = listener.tcp_port or port_of(listen.at)
        if port and not listener.why:
            yield Place(listen, host_of(listen.at) or here, port)


def first(places: Iterable[Place], serve: str) -> Place | None:
    """The first place where something is spoken, without TLS if there is one."""
    found = [place for place in places if place.speaks(serve)]
    return min(found, key=lambda place: place.tls, default=None)
