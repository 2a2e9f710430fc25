"""Which questions a robot has heard, so that it may answer those alone (mqtt.md 5.3)."""

from collections import OrderedDict

from twisted.internet.interfaces import IReactorTime

from bumper_tw.dialect.topics import A_REPLY, A_REQUEST


class Questions:
    """
    The open questions of one robot's session, the oldest first.

    An answer does not close its question: at QoS 1 it may come twice.  The format is not
    compared, since robots may answer in another.
    """

    def __init__(self, clock: IReactorTime, seconds: float = 120, most: int = 256) -> None:
        """
        @param seconds: how long a question stays open.
        @param most: how many are remembered; the oldest make room.
        """
        self._clock, self._seconds, self._most = clock, seconds, most
        self._asked: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        """How many questions are remembered."""
        return len(self._asked)

    def asked(self, topic: str) -> None:
        """A publication is delivered to the robot.  What is no question is ignored."""
        found = A_REQUEST(topic)
        if found is None or found[8] != "q":
            return
        key = "/".join(found.group(1, 2, 3, 4, 9))
        self._asked[key] = self._clock.seconds()
        # Whoever asks again asks last.
        self._asked.move_to_end(key)
        self._forget()

    def _forget(self) -> None:
        """Drop what is closed, and what is too much."""
        oldest = self._clock.seconds() - self._seconds
        while self._asked:
            since = next(iter(self._asked.values()))
            if since >= oldest and len(self._asked) <= self._most:
                return
            self._asked.popitem(last=False)

    def may_answer(self, topic: str) -> bool:
        """Whether a publication of the robot answers an open question."""
        found = A_REPLY(topic)
        if found is None:
            return False
        since = self._asked.get("/".join(found.group(1, 5, 6, 7, 8)))
        return since is not None and self._clock.seconds() - since <= self._seconds
