"""As many contacts as there is room for: which of them make room for newer ones."""

from collections import OrderedDict

from bumper_tw.front.contact import Contact, Outcome, Speech


def is_dull(contact: Contact) -> bool:
    """
    Whether nobody will miss a contact: one that has ended and said nothing, or asked something
    over HTTP as nobody in particular, as checks do that look whether this server is well.
    """
    if contact.lasts or contact.told or contact.trusts or contact.name:
        return False
    if contact.outcome is Outcome.ACCEPTED:
        return contact.speech is Speech.HTTP
    return contact.outcome is Outcome.SILENT


class Shelf:
    """
    Contacts, and among them cheap ones, which make room first if they are more than a quarter:
    what happens just now is to be seen, too, and is cheap, mostly.

    Within both, those make room first that were put here first.
    """

    def __init__(self, most: int) -> None:
        self._most, self._share = most, most // 4
        self._good: OrderedDict[int, Contact] = OrderedDict()
        self._cheap: OrderedDict[int, Contact] = OrderedDict()

    def put(self, contact: Contact, cheap: bool) -> Contact | None:
        """
        Have it here; one that is here already stays where it is, unless its worth has changed.

        @return: the one that had to go.
        """
        into, other = (self._cheap, self._good) if cheap else (self._good, self._cheap)
        other.pop(contact.number, None)
        into.setdefault(contact.number, contact)
        if len(self._good) + len(self._cheap) <= self._most:
            return None
        is_shared = len(self._cheap) <= self._share and self._good
        return (self._good if is_shared else self._cheap).popitem(last=False)[1]

    def take(self, contact: Contact) -> None:
        """It is somewhere else now."""
        self._good.pop(contact.number, None)
        self._cheap.pop(contact.number, None)

    def __contains__(self, contact: Contact) -> bool:
        return contact.number in self._good or contact.number in self._cheap
