"""The newest failure of each kind: one of them explains what a thousand newer contacts do not."""

from collections import OrderedDict
from collections.abc import Iterator

from bumper_tw.front.contact import Contact, Outcome

#: As many addresses have failures that are kept; who failed longest ago is forgotten.
HOSTS = 64

#: As many kinds of one address: whoever fails in ever new ways crowds out his own only.
KINDS = 8

#: What is no failure while a connection lasts; it is one when the connection ends like that.
UNDECIDED = frozenset({Outcome.SILENT, Outcome.HANDSHAKE, Outcome.SECURED, Outcome.CHOSEN})

#: How it failed, and for which name it had come.
Kind = tuple[Outcome, str]


def is_failure(contact: Contact) -> bool:
    """Whether a contact has come to nothing."""
    if contact.outcome in UNDECIDED:
        return not contact.lasts
    return contact.outcome is not Outcome.ACCEPTED


class Failures:
    """The newest contact of each address, outcome and server name, if it failed."""

    def __init__(self) -> None:
        self._hosts: OrderedDict[str, OrderedDict[Kind, Contact]] = OrderedDict()
        self._kinds: dict[int, Kind] = {}

    def __iter__(self) -> Iterator[Contact]:
        """All of them."""
        for kinds in self._hosts.values():
            yield from kinds.values()

    def __contains__(self, contact: Contact) -> bool:
        return contact.number in self._kinds

    def put(self, contact: Contact) -> list[Contact]:
        """
        It has failed.

        @return: those that are not kept any more because of that.
        """
        kind = (contact.outcome, contact.hello.server_name if contact.hello is not None else "")
        if self._kinds.get(contact.number) != kind:
            self.discard(contact)
        kinds = self._hosts.setdefault(contact.host, OrderedDict())
        self._hosts.move_to_end(contact.host)
        older = kinds.pop(kind, contact)
        kinds[kind], self._kinds[contact.number] = contact, kind
        gone = [] if older is contact else [older]
        if len(kinds) > KINDS:
            gone.append(kinds.popitem(last=False)[1])
        if len(self._hosts) > HOSTS:
            gone += self._hosts.popitem(last=False)[1].values()
        for each in gone:
            del self._kinds[each.number]
        return gone

    def discard(self, contact: Contact) -> None:
        """It is no failure, or another one."""
        kind = self._kinds.pop(contact.number, None)
        if kind is not None:
            kinds = self._hosts[contact.host]
            del kinds[kind]
            if not kinds:
                del self._hosts[contact.host]
