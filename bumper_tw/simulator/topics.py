"""Topics as a robot reads and writes them (mqtt.md 4.1)."""

from __future__ import annotations

from attrs import frozen

from bumper_tw.simulator.identity import Identity


class NotForUs(Exception):
    """A request topic that no server may deliver to this robot; the text says why."""


LONGEST_TOPIC = 512
"""Characters (mqtt.md 3.6)."""


@frozen
class Request:
    """
    One delivered request topic.

    @ivar sender: C{name/realm/resource}
    @ivar direction: C{q} wants a reply, C{m} wants none
    @ivar letter: payload format C{j}, C{x} or C{b}
    """

    command: str
    sender: str
    direction: str
    request_id: str
    letter: str


@frozen
class RobotTopics:
    """Every topic of one robot."""

    own: str
    did: str
    cls: str
    res: str

    @classmethod
    def of(cls, identity: Identity) -> RobotTopics:
        """Collect the segments of one identity."""
        own = f"{identity.did}/{identity.cls}/{identity.resource}"
        return cls(own, identity.did, identity.cls, identity.resource)

    def requests(self, wide: bool = False) -> str:
        """
        Name the filter of requests.

        @param wide: the variant that also matches replies (robots.md 4.1)
        """
        return f"iot/p2p/+/+/+/+/{self.own}/{'+' if wide else 'q'}/+/+"

    def settings(self) -> tuple[str, ...]:
        """Name the filters JSON robots add, in their order (robots.md 4.1)."""
        return (
            f"iot/cfg/{self.own}/+/+",
            f"iot/dtcfg/{self.cls}/222/+/+",
            f"iot/dtgcfg/{self.cls}/{self.did}/{self.res}/+/+",
        )

    def event(self, name: str, letter: str) -> str:
        """Name the topic of one attribute report."""
        return f"iot/atr/{name}/{self.own}/{letter}"

    def reply(self, request: Request) -> str:
        """Swap the parties; command, id and format stay."""
        return (
            f"iot/p2p/{request.command}/{self.own}/{request.sender}"
            f"/p/{request.request_id}/{request.letter}"
        )

    def request(self, topic: str) -> Request | None:
        """
        Read a delivered topic.

        @return: L{None} for the settings family, which asks nothing
        @raise NotForUs: neither that nor a request to this robot
        """
        if len(topic) > LONGEST_TOPIC:
            raise NotForUs(f"topic too long: {topic}")
        parts = topic.split("/")
        if len(parts) > 1 and parts[0] == "iot" and parts[1] in SETTINGS:
            return None
        if len(parts) != 12 or parts[0] != "iot" or parts[1] != "p2p":
            raise NotForUs(f"not a request topic: {topic}")
        if parts[6:9] != [self.did, self.cls, self.res]:
            raise NotForUs(f"for another robot: {topic}")
        return Request(parts[2], "/".join(parts[3:6]), parts[9], parts[10], parts[11])


SETTINGS = ("cfg", "dtcfg", "dtgcfg")
