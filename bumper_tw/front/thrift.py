"""What of a minute is worth a line in the journal on disk, which wears out by being written."""

from attrs import define, field

from bumper_tw.front.contact import Contact, Outcome, Speech

#: Seconds for which all this counts.
MINUTE = 60.0

#: Bytes that are written in that time: 370 MB a day if it goes on like that.
BYTES = 256_000

#: As many contacts of one address, which ended in the same way, are looked at in that time; what
#: comes after is taken to be like the last of these.
LOOKS = 20

#: As many different lines may be repeated in that time.
KINDS = 500

#: The address, the robot if it was one, and what it came to.
Kind = tuple[str, str, str]

#: What can be told of a contact without a closer look.
Sight = tuple[str, str, Speech, Outcome]


def sight(contact: Contact) -> Sight:
    """What can be told at once."""
    return contact.host, contact.robot, contact.speech, contact.outcome


@define
class Repeated:
    """
    What came again after it had been written.

    @ivar last: the last that did.
    @ivar times: how often.
    """

    last: Contact
    times: int = 0


@define
class Looked:
    """
    What contacts that look the same have come to.

    @ivar kind: the last of them.
    @ivar times: how many were looked at.
    """

    kind: Kind
    times: int = 0


@define
class Minute:
    """
    What was written in a minute.

    @ivar ends: when it is over, in seconds since 1970.
    @ivar room: bytes that may be written yet.
    @ivar lost: as many entries were not written, and nothing like them.
    """

    ends: float
    room: int = BYTES
    lost: int = 0
    _seen: dict[Kind, Repeated] = field(factory=dict)
    _looked: dict[Sight, Looked] = field(factory=dict)

    def is_enough_of(self, contact: Contact) -> bool:
        """Whether it is not worth a look any more what a contact comes to; then it is counted."""
        looked = self._looked.get(sight(contact))
        if looked is not None and looked.times >= LOOKS:
            self.lost += not self.is_repeated(contact, looked.kind)
            return True
        if self.room > 0:
            return False
        self.lost += 1
        return True

    def looked_at(self, contact: Contact, kind: Kind) -> None:
        """It is known what a contact comes to."""
        looked = self._looked.get(sight(contact))
        if looked is None and len(self._looked) < KINDS:
            looked = self._looked[sight(contact)] = Looked(kind)
        if looked is not None:
            looked.kind, looked.times = kind, looked.times + 1

    def is_repeated(self, contact: Contact, kind: Kind) -> bool:
        """Whether there is a line like that, of another contact; then it is counted."""
        seen = self._seen.get(kind)
        if seen is None:
            return False
        if seen.last is contact:
            # Its end is worth a line, if that is not to come anyway.
            return contact.lasts or seen.times > 0
        seen.last, seen.times = contact, seen.times + 1
        return True

    def wrote(self, contact: Contact, kind: Kind) -> None:
        """There is a line like that now."""
        if len(self._seen) < KINDS:
            self._seen.setdefault(kind, Repeated(contact))

    def takes(self, length: int) -> bool:
        """Whether there is room for as many bytes, which are written then; or there is none."""
        if length > self.room:
            # So that others are not even looked at.
            self.room = 0
            self.lost += 1
            return False
        self.room -= length
        return True

    def repeated(self) -> list[Repeated]:
        """What is to be told at its end."""
        return [seen for seen in self._seen.values() if seen.times]

    def has_news(self) -> bool:
        """Whether there is something to be told at its end."""
        return bool(self.lost or self.repeated())
