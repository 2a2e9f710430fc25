"""The last contacts, and what the doctor noted between them: all that is needed to say why."""

from collections import deque
from collections.abc import Callable, Iterator

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from bumper_tw.front.contact import Contact


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
    A ring of contacts and remarks, and whoever watches it.

    Connections that last are in it for as long as newer ones leave them room; after that they
    go on unseen.

    @ivar revision: rises with every change.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, most: int) -> None:
        """
        @param most: contacts, and as many remarks, are remembered.
        """
        self._clock, self.revision, self._count = clock, 0, 0
        self._contacts: deque[Contact] = deque(maxlen=most)
        self._remarks: deque[Remark] = deque(maxlen=most)
        self._watchers: dict[object, Callable[[Entry], None]] = {}

    def __iter__(self) -> Iterator[Entry]:
        """Everything, in the order of its last change."""
        entries: list[Entry] = [*self._contacts, *self._remarks]
        return iter(sorted(entries, key=lambda entry: entry.revision))

    def contacts(self) -> Iterator[Contact]:
        """Contacts, the newest first."""
        return reversed(self._contacts)

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
        self._contacts.append(contact)
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
        if self._watchers:
            self._hear(contact)

    def _hear(self, entry: Entry) -> None:
        for heard in list(self._watchers.values()):
            self._show(heard, entry)

    def _show(self, heard: Callable[[Entry], None], entry: Entry) -> None:
        """Whoever watches and breaks must cost neither the others nor the connection anything."""
        try:
            heard(entry)
        except Exception:  # noqa: BLE001 - a bulkhead of the architecture
            self._log.failure("somebody who watches the journal failed")
