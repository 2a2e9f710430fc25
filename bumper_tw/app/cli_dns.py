"""C{bumper dns}: what to tell the DNS server of the house; nothing is changed by it."""

import argparse
from collections.abc import Callable, Iterator, Sequence

from bumper_tw.app.addresses import (
    InterfaceAddress,
    Reading,
    announceable,
    default_source,
    is_target,
    own_addresses,
    plain,
)
from bumper_tw.app.cli_parts import settings_of, spoken, wall_clock, with_folders
from bumper_tw.app.dns_snippets import SNIPPETS
from bumper_tw.app.dns_told import Told, listens_on_six
from bumper_tw.app.settings import Settings
from bumper_tw.errors import BadRequest
from bumper_tw.pki.zones import ZONES

Own = Callable[[], Sequence[InterfaceAddress]]
Source = Callable[[], str | None]


def main(arguments: Sequence[str]) -> int:
    """
    Print what one program has to be told.

    @return: the exit status.
    """
    options = parser().parse_args(arguments)
    return run(options, own_addresses, default_source)


def run(options: argparse.Namespace, own: Own, source: Source) -> int:
    """
    Print what one program has to be told on a box with these addresses.

    @return: the exit status.
    """
    return spoken(lambda: "\n".join(said(options, own, source)))


def parser() -> argparse.ArgumentParser:
    """What can stand behind C{bumper dns}."""
    made = argparse.ArgumentParser(
        prog="bumper dns",
        description="Prints what the DNS server of the house has to be told, so that the vendor's "
        "names lead to this box.  Nothing is changed.",
    )
    made.add_argument("--for", dest="program", choices=sorted(SNIPPETS), help="which DNS server")
    meaning = "an address of this box, instead of the one it has found; can be given again"
    made.add_argument("--address", action="append", default=[], help=meaning)
    return with_folders(made)


def said(options: argparse.Namespace, own: Own, source: Source) -> Iterator[str]:
    """
    The lines.

    @raise BumperError: an address is none, or there is none.
    """
    if options.program is None:
        return overview()
    settings = settings_of(options)
    named = given(options.address)
    addresses = named or chosen(settings, own, source)
    notes = doubts(settings, own, named) if named else remarks(settings, own, addresses)
    return SNIPPETS[options.program].lines(addresses, tuple(notes))


def overview() -> Iterator[str]:
    """Which programs there are, and what is to be redirected."""
    yield "bumper dns --for PROGRAM prints what to tell it.  There are:"
    yield from (f"  {name:<9} {SNIPPETS[name].title}" for name in SNIPPETS)
    yield "Any other one: these zones, with every name in them, have to lead to this box:"
    yield from (f"  {zone}" for zone in ZONES)
    yield "Or let this server answer DNS itself: dns.serve = true in its settings."


def given(addresses: Sequence[str]) -> tuple[str, ...]:
    """
    The owner's own choice.

    @raise BadRequest: that is no address of one box.
    """
    for address in addresses:
        if not is_target(address):
            raise BadRequest(f"{address[:60]!r} is no IP address")
    return tuple(dict.fromkeys(plain(address) for address in addresses))


def doubts(settings: Settings, own: Own, addresses: Sequence[str]) -> Iterator[str]:
    """What may be wrong with the owner's own choice."""
    reading = Reading.of(own(), None)
    mine = {each.address for each in reading.own}
    for address in addresses:
        if address not in mine:
            yield f"Is {address} right?  It is no address of this box, as far as it can see."
        elif not announceable(address) or address in reading.bridged:
            yield f"Is {address} right?  Robots and phones cannot reach this box there."
        if ":" in address and not listens_on_six(settings.listen):
            yield f"Is {address} right?  Not every [[listen]] listens on IPv6 (tcp6:)."


def chosen(settings: Settings, own: Own, source: Source) -> tuple[str, ...]:
    """
    What our own DNS would tell.

    @raise BadRequest: nobody else could reach that.
    """
    # A question from this very box is answered with what others can reach.
    found = Told(settings, own, source, wall_clock())("127.0.0.1")
    if not any(announceable(address) for address in found):
        raise BadRequest("this box has no address that others can reach; name one with --address")
    return found


def remarks(settings: Settings, own: Own, addresses: Sequence[str]) -> Iterator[str]:
    """What the owner may want to correct."""
    if settings.dns.answer or settings.server.announce:
        yield f"{', '.join(addresses)}: from the settings."
        return
    reading = Reading.of(own(), None)
    mine = dict.fromkeys(each.address for each in reading.own)
    rest = [a for a in mine if announceable(a) and a not in {*addresses, *reading.bridged}]
    sixes = [a for a in rest if ":" in a]
    others = rest if listens_on_six(settings.listen) else [a for a in rest if a not in sixes]
    if others:
        yield f"{', '.join(addresses)} is where the default route leaves; there are others, too:"
        yield f"{', '.join(others[:8])}; choose with --address."
    if sixes and not listens_on_six(settings.listen):
        yield "No IPv6 address is told: not every [[listen]] listens on IPv6 (tcp6:)."
