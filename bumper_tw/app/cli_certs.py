"""C{bumper certs}: the authority and its certificates; the server may be running."""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from socket import gethostname

from attrs import evolve
from cryptography import x509

from bumper_tw.app.cli_parts import MINUTES, settings_of, spoken, table, with_places
from bumper_tw.app.settings import Settings
from bumper_tw.app.taking_over import is_there
from bumper_tw.app.taking_over import take as take_over
from bumper_tw.errors import BadRequest
from bumper_tw.pki import handout, pem
from bumper_tw.pki.certificates import covered, not_after, not_before
from bumper_tw.pki.directory import CA
from bumper_tw.pki.importing import authority_from, weaknesses
from bumper_tw.pki.inventory import (
    AUTHORITY,
    FALLBACK,
    Entry,
    authority_in,
    common_in,
    kind,
    single_in,
    singles_in,
)

#: What a running server needs to be told.
TAKEN_UP = (
    "send a running server SIGHUP to take it up: it then makes new certificates under it.  "
    "Phones and robots that trust the old one have to be told to trust this one."
)

Deed = Callable[[Settings, argparse.Namespace], str]


def main(arguments: Sequence[str]) -> int:
    """
    Certificates.

    @return: the exit status.
    """
    options = parser().parse_args(arguments)
    return spoken(lambda: DEEDS[options.deed](own_settings(options), options))


def own_settings(options: argparse.Namespace) -> Settings:
    """What the settings say where the words leave it open."""
    settings = settings_of(options)
    if options.certs is None:
        return settings
    return evolve(settings, tls=evolve(settings.tls, directory=options.certs))


def parser() -> argparse.ArgumentParser:
    """What can stand behind C{bumper certs}."""
    whole = argparse.ArgumentParser(
        prog="bumper certs",
        description="The authority that phones and robots are to trust, and what it has signed.",
    )
    parts = with_places(whole).add_subparsers(dest="deed", required=True, metavar="COMMAND")

    def deed(name: str, meaning: str) -> argparse.ArgumentParser:
        part = parts.add_parser(name, help=meaning, description=meaning)
        return with_places(part, argparse.SUPPRESS)

    deed("list", "list the certificates: name, kind, what for, expiry")
    show = deed("show", "show certificates with names, fingerprints and expiry")
    show.add_argument(
        "name", nargs="?", default="", help=f"{AUTHORITY}, {FALLBACK}, or a host name; else both"
    )
    show.add_argument("--pem", action="store_true", help="as text for other programs")
    taking = deed("import", "take over the authority of another Bumper; ours is kept beside it")
    taking.add_argument("folder", type=Path, help="with its ca.crt and ca.key")
    handing = deed("export", "write the authority's certificate, never its key, to a new file")
    handing.add_argument(
        "file", type=Path, help=f"ending in {', '.join(FORMS)}: the ending says in which form"
    )
    return whole


def show_all(settings: Settings, _: argparse.Namespace) -> str:
    """One certificate a line."""
    directory = settings.tls.directory
    rows = map(columns, [*common_in(directory), *singles_in(directory)])
    return table(("NAME", "KEY", "WHAT", "EXPIRES"), rows, "nothing yet")


def columns(entry: Entry) -> tuple[str, ...]:
    """A certificate in the list."""
    return entry.title, kind(entry.certificate), entry.what, minutes(not_after(entry.certificate))


def show(settings: Settings, options: argparse.Namespace) -> str:
    """
    All about some certificates.

    @raise BadRequest: there is none for that name.
    """
    found = asked_for(settings.tls.directory, options.name)
    if options.pem:
        chains = (certificate for entry in found for certificate in entry.chain)
        return b"".join(map(pem.text, chains)).decode().rstrip("\n")
    return "\n\n".join("\n".join(lines(entry)) for entry in found)


def asked_for(directory: Path, name: str) -> list[Entry]:
    """
    The certificates that go by a name, or those that are not for a single one.

    @raise BadRequest: there is none.
    """
    common = list(common_in(directory))
    found = [entry for entry in common if name in {"", entry.title}]
    found = found or list(single_in(directory, name))
    if found:
        return found
    fallback = any(covered(entry.certificate).speaks_for(name.lower()) for entry in common)
    covers = "the fallback covers it" if fallback else "the fallback does not cover it"
    raise BadRequest(
        f"there is no certificate for {name!r} alone: it is made when a client asks for it, if "
        f"the name is the vendor's or this box's; {covers}"
    )


def lines(entry: Entry) -> Iterator[str]:
    """A certificate, for people."""
    one = entry.certificate
    what = covered(one)
    yield f"{entry.title} ({entry.what})"
    yield f"  subject       {one.subject.rfc4514_string()}"
    yield f"  issuer        {one.issuer.rfc4514_string()}"
    yield f"  key           {kind(one)}"
    yield f"  holds         {minutes(not_before(one))} to {minutes(not_after(one))}"
    yield f"  SHA-256       {handout.fingerprint(one)}"
    names = [*sorted(what.names), *sorted(map(str, what.addresses))]
    yield from (f"  {'names' if not at else '':14}{name}" for at, name in enumerate(names))


def take(settings: Settings, options: argparse.Namespace) -> str:
    """
    Take over an authority.

    @raise BadRequest: there is none to be had.
    @raise StartError: a file cannot be read or written; all is as it was.
    """
    directory, now = settings.tls.directory, datetime.now(UTC)
    found = authority_from(options.folder, now)
    certificate = found.authority.certificate
    if is_there(directory, certificate):
        return f"{found.path} is the authority in {directory} already"
    more = take_over(found, directory, now)
    name = certificate.subject.rfc4514_string()
    said = [f"{directory / CA} is now that of {found.path}, {name}"]
    said += [f"but {weakness}" for weakness in weaknesses(certificate)]
    return "\n".join([*said, *more, TAKEN_UP])


def export(settings: Settings, options: argparse.Namespace) -> str:
    """
    The certificate of the authority, for whoever is to trust it.

    @raise BadRequest: the ending means nothing, or the file is there or cannot be written.
    """
    file: Path = options.file
    form = next((form for end, form in FORMS.items() if file.name.endswith(end)), None)
    if form is None:
        raise BadRequest(f"{file} has to end in one of {' '.join(FORMS)}")
    ca = authority_in(settings.tls.directory)
    host = next(iter(settings.server.name), gethostname())
    try:
        with file.open("xb") as stream:
            stream.write(form(ca, host))
    except OSError as why:
        raise BadRequest(f"{file} cannot be written: {why.strerror}") from why
    return f"{file} holds the certificate of {ca.subject.rfc4514_string()}"


def minutes(at: datetime) -> str:
    """A time for people, in the time zone of this box."""
    return at.astimezone().strftime(MINUTES)


#: The forms an authority is handed out in, by the end of the file's name.
FORMS: Mapping[str, Callable[[x509.Certificate, str], bytes]] = {
    ".pem": lambda ca, _: pem.text(ca),
    ".crt": lambda ca, _: handout.der(ca),
    ".cer": lambda ca, _: handout.der(ca),
    ".der": lambda ca, _: handout.der(ca),
    ".mobileconfig": handout.mobileconfig,
    ".tar.gz": lambda ca, _: handout.packed(ca),
}

DEEDS: Mapping[str, Deed] = {"list": show_all, "show": show, "import": take, "export": export}
