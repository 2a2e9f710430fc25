"""The last success of each kind: whoever failed before has got over it, however long ago it is."""

from collections import OrderedDict
from collections.abc import Iterator

from bumper_tw.front.contact import Contact, Outcome
from bumper_tw.front.journal import Entry, Journal

#: As many are remembered; of the others, those that are in the journal still.
MOST = 500


class Arrivals:
    """The newest contact of each address, server name, speech and login that went well."""

    def __init__(self, journal: Journal) -> None:
        self._newest: OrderedDict[tuple[str, ...], Contact] = OrderedDict()
        self.stop = journal.watch(self._changed)

    def __iter__(self) -> Iterator[Contact]:
        """All of them."""
        return iter(list(self._newest.values()))

    def _changed(self, entry: Entry) -> None:
        if not isinstance(entry, Contact) or entry.outcome is not Outcome.ACCEPTED:
            return
        name = entry.hello.server_name if entry.hello is not None else ""
        trust = "trusts" if entry.trusts else ""
        kind = (entry.host, name, entry.speech.value, entry.robot or entry.name, trust)
        self._newest[kind] = entry
        self._newest.move_to_end(kind)
        if len(self._newest) > MOST:
            self._newest.popitem(last=False)
