"""
Telling clients of other people what to do, one line at a time.

A session has several clients.  Each line for its standard input is a JSON object: C{step}, a
number; C{who}, the client; C{do}, and what that needs.  Each is answered by one line when it
is done: C{step} again, and C{saw}.

    connect      host, port, ca (for TLS), id, user, password, keep_alive, level, clean, will
                 (null, or topic, payload, qos and retain): the code of the CONNACK
    present      whether that CONNACK said that an older session goes on
    subscribe    filters, qos: the codes of the SUBACK
    unsubscribe  filters: when it was acknowledged
    publish      topic, payload, qos, retain: C{true} when all that belongs to the QoS has
                 happened
    receive      the next message: topic, payload, qos, retain
    packets      kind, count: the kinds of all packets in both directions, once there were
                 that many of one kind
    disconnect   when the connection has ended
    ended        the same, when it is somebody else who ends it
"""

import json
from itertools import count
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from tests.interop.children import Child
from tests.interop.server import HOST, Server


@frozen
class Will:
    """What is said for a client that vanishes."""

    topic: str
    payload: str
    qos: int = 0
    retain: bool = False


@frozen
class Login:
    """
    What a client connects with.

    @ivar user: with the password, C{None} for neither.
    @ivar level: of the protocol: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0.
    @ivar clean: whether nothing is kept of the session, before and after.
    """

    id: str
    user: str | None
    password: str | None
    keep_alive: int = 60
    level: int = 4
    clean: bool = True
    will: Will | None = None


@frozen
class Heard:
    """A message, as a client's library gives it."""

    topic: str
    payload: str
    qos: int = 0
    retain: bool = False

    @property
    def json(self) -> Any:
        """The payload, which has to be JSON."""
        return json.loads(self.payload)


@frozen
class Where:
    """
    The listener that clients use.

    @ivar ca: what to verify it against; C{None} for one without TLS.
    """

    port: int
    ca: Path | None

    @classmethod
    def of(cls, server: Server, tls: bool) -> "Where":
        """One of the two that a server has."""
        ports = server.ports()
        return cls(ports.mqtt_tls, server.ca) if tls else cls(ports.mqtt, None)


class Session:
    """A process with clients in it."""

    def __init__(self, child: Child, where: Where) -> None:
        self._child, self._where = child, where
        self._steps = count(1)

    def do(self, who: str, deed: str, **needs: object) -> Any:
        """
        Have a client do something.

        @return: what it saw.
        @raise AssertionError: it could not, or not in time.
        """
        step = next(self._steps)
        self._child.say(json.dumps({"step": step, "who": who, "do": deed, **needs}))
        [found] = self._child.wait_for(rf'^{{"step": {step}, .*')
        return json.loads(found[0])["saw"]

    def client(self, who: str, login: Login) -> "Client":
        """A client that is let in."""
        made = Client(self, who)
        code = made.connect(self._where, login)
        assert code == 0, code
        return made

    def refused(self, who: str, login: Login) -> int:
        """What a client is told that is not let in."""
        return Client(self, who).connect(self._where, login)


@frozen
class Client:
    """One client in a session."""

    session: Session
    who: str

    def connect(self, where: Where, login: Login) -> int:
        """Log in, and say what the CONNACK says."""
        code = self.session.do(
            self.who,
            "connect",
            host=HOST,
            port=where.port,
            ca=str(where.ca) if where.ca else None,
            id=login.id,
            user=login.user,
            password=login.password,
            keep_alive=login.keep_alive,
            level=login.level,
            clean=login.clean,
            will=asdict(login.will) if login.will else None,
        )
        return int(code)

    def present(self) -> bool:
        """Whether it goes on where an earlier connection left it."""
        return bool(self.session.do(self.who, "present"))

    def subscribe(self, *filters: str, qos: int = 0) -> list[int]:
        """What is granted."""
        return list(self.session.do(self.who, "subscribe", filters=filters, qos=qos))

    def unsubscribe(self, *filters: str) -> None:
        """Take subscriptions back."""
        self.session.do(self.who, "unsubscribe", filters=filters)

    def publish(self, topic: str, payload: object, qos: int = 0) -> None:
        """Send something as JSON, with all that belongs to the QoS."""
        self.say(topic, json.dumps(payload), qos)

    def say(self, topic: str, text: str, qos: int = 0, retain: bool = False) -> None:
        """The same with a payload as it is."""
        asked = {"topic": topic, "payload": text, "qos": qos, "retain": retain}
        assert self.session.do(self.who, "publish", **asked)

    def receive(self) -> Heard:
        """The next message."""
        return Heard(**self.session.do(self.who, "receive"))

    def packets(self, kind: str, count: int = 1) -> list[str]:
        """All packets, once there were enough of a kind."""
        return list(self.session.do(self.who, "packets", kind=kind, count=count))

    def disconnect(self) -> None:
        """Leave in good order."""
        self.session.do(self.who, "disconnect")

    def ended(self) -> None:
        """Wait until somebody else has ended the connection."""
        self.session.do(self.who, "ended")
