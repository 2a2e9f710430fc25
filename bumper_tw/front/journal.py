"""The last contacts, and what the doctor noted between them: all that is needed to say why."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from heapq import merge

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from bumper_tw.front.contact import Contact
from bumper_tw.front.failures import Failures, is_failure
from bumper_tw.front.shelves import Shelf, is_dull


@frozen
class Remark:
    """
    Something that was noted about this box, and not about one connection.

    @ivar revision: see L{Contact}.
    @ivar when: seconds since 1970.
    @ivar check: the name of the doctor's check.
    @ivar sound: whether it is well.
    @ivar sentence: what was found.
    @ivar remedy: what to do; empty when there is nothing.
    """

    revision: int
    when: float
    check: str
    sound: bool
    sentence: str
    remedy: str = ""


Entry = Contact | Remark


class Journal:
    """
    The last contacts and remarks, and whoever watches them.

    Those that have ended have room of their own, and so have those that last: neither crowd out
    the others.  Of the first those are L{cheap<Shelf>} that L{nobody will miss<is_dull>}, or whose
    failure somebody repeated since; of the second those on which nobody has logged in.  And there
    are L{Failures}, which have little room, and keep it from all others.  What had to go and
    changes later is here again.

    @ivar revision: rises with every change.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, most: int) -> None:
        """
        @param most: contacts that have ended, as many that last, and as many remarks, are
            remembered.
        """
        self._clock, self.revision, self._count = clock, 0, 0
        self._ended, self._lasting, self._failures = Shelf(most), Shelf(most), Failures()
        # All that are on a shelf or have failed, in two orders.
        self._begun: OrderedDict[int, Contact] = OrderedDict()
        self._changed: OrderedDict[int, Contact] = OrderedDict()
        self._remarks: deque[Remark] = deque(maxlen=most)
        self._watchers: dict[object, Callable[[Entry], None]] = {}

    def __iter__(self) -> Iterator[Entry]:
        """Everything, in the order of its last change."""
        return reversed(list(self.latest()))

    def latest(self) -> Iterator[Entry]:
        """
        Everything, what has changed last first.

        It costs what is taken of it, and has to be taken before anything changes.
        """
        kinds: tuple[Iterator[Entry], ...] = (
            reversed(self._changed.values()),
            reversed(self._remarks),
        )
        return merge(*kinds, key=lambda entry: entry.revision, reverse=True)

    def contacts(self) -> Iterator[Contact]:
        """Contacts, the newest first."""
        return reversed(self._begun.values())

    def failures(self) -> Iterator[Contact]:
        """
        The last failure of each address, outcome and server name, the newest first: at most
        L{HOSTS<bumper_tw.front.failures.HOSTS>} times L{KINDS<bumper_tw.front.failures.KINDS>}.
        """
        return iter(sorted(self._failures, key=lambda contact: -contact.revision))

    def begin(
        self, host: str, port: int, local: str, local_port: int, serves: str, wants_tls: bool
    ) -> Contact:
        """Somebody has come; see L{Contact}."""
        self._count += 1
        contact = Contact(
            self._count,
            self._clock.seconds(),
            host,
            port,
            local,
            local_port,
            serves,
            wants_tls,
            self._tell,
        )
        self._tell(contact)
        return contact

    def note(self, check: str, sound: bool, sentence: str, remedy: str = "") -> None:
        """Something was found out about this box."""
        self.revision += 1
        remark = Remark(self.revision, self._clock.seconds(), check, sound, sentence, remedy)
        self._remarks.append(remark)
        self._hear(remark)

    def watch(self, heard: Callable[[Entry], None]) -> Callable[[], None]:
        """
        Be told of every change from now on.

        @return: ends that.
        """
        key = object()
        self._watchers[key] = heard

        def unwatch() -> None:
            self._watchers.pop(key, None)

        return unwatch

    def _tell(self, contact: Contact) -> None:
        self.revision += 1
        contact.revision = self.revision
        self._begun.setdefault(contact.number, contact)
        self._changed[contact.number] = contact
        self._changed.move_to_end(contact.number)
        self._weigh(contact)
        if self._watchers:
            self._hear(contact)

    def _weigh(self, contact: Contact) -> None:
        """Find its place, and let go what has none any more."""
        repeated: list[Contact] = []
        if is_failure(contact):
            repeated = self._failures.put(contact)
        elif contact in self._failures:
            self._failures.discard(contact)
        self._place(contact, is_dull(contact) if contact.ended else not contact.name)
        for each in repeated:
            if each in self._ended:
                self._place(each, cheap=True)
            else:
                self._let_go(each)

    def _place(self, contact: Contact, cheap: bool) -> None:
        if contact.ended:
            self._lasting.take(contact)
        gone = (self._ended if contact.ended else self._lasting).put(contact, cheap)
        if gone is not None:
            self._let_go(gone)

    def _let_go(self, contact: Contact) -> None:
        """It has lost a place; that may have been its last."""
        if not any(contact in each for each in (self._failures, self._ended, self._lasting)):
            del self._begun[contact.number]
            del self._changed[contact.number]

    def _hear(self, entry: Entry) -> None:
        for heard in list(self._watchers.values()):
            self._show(heard, entry)

    def _show(self, heard: Callable[[Entry], None], entry: Entry) -> None:
        """Whoever watches and breaks must cost neither the others nor the connection anything."""
        try:
            heard(entry)
        except Exception:  # noqa: BLE001 - a bulkhead of the architecture
            self._log.failure("somebody who watches the journal failed")
