"""Where the vendor's names lead: here, or past us."""

from collections import Counter
from collections.abc import Iterator, Sequence

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, gatherResults

from bumper_tw.app.addresses import plain
from bumper_tw.app.doctor.evidence import Evidence, Server, is_loopback
from bumper_tw.app.doctor.finding import Finding, Verdict, fine, listed, named, told, wrong
from bumper_tw.dns.wires import AnswerTimedOut, NoAnswer, Unreachable

#: Names that are asked for at the same time, and the seconds for each.
AT_ONCE, SECONDS = 4, 2.0

#: A server that fails so often before it has answered once is asked no more.
ENOUGH_FAILURES = 3

REMEDY = (
    "print what to put into your DNS server with: bumper dns --for <program>; or answer here, "
    "with serve = true in [dns]"
)

NO_SIX = (
    "have your DNS server answer AAAA for these names with nothing: bumper dns --for <program> "
    "prints how"
)

NOT_STARTED = "this box answers DNS itself, and is not running; start it, and ask again"

NOT_ASKED = "everything is on this box, so that no names are needed"


@frozen
class Answered:
    """
    What one server says of one name.

    @ivar four: its addresses, and
    @ivar six: those of IPv6.
    """

    name: str
    four: tuple[str, ...]
    six: tuple[str, ...]


@define
class Inquiry:
    """
    All names, at one server.

    @ivar answers: so far.
    @ivar trouble: what it failed with last.
    """

    evidence: Evidence
    server: Server | None
    answers: list[Answered] = field(factory=list)
    trouble: str = ""
    _failures: int = 0

    @property
    def title(self) -> str:
        """What the server is called."""
        if self.server is None:
            return "the resolver of this box"
        host, port = self.server
        return host if port == 53 else f"{host} port {port}"

    @property
    def dead(self) -> bool:
        """Whether it does not answer at all."""
        return self._failures >= ENOUGH_FAILURES and not self.answers

    async def ask_all(self) -> "Inquiry":
        """Ask for every name."""
        names = iter(self.evidence.hosts)
        await gatherResults(
            [Deferred.fromCoroutine(self._work(names)) for _ in range(AT_ONCE)], consumeErrors=True
        )
        return self

    async def _work(self, names: Iterator[str]) -> None:
        for name in names:
            if self.dead:
                return
            await self._ask(name)

    async def _ask(self, name: str) -> None:
        try:
            four, six = await self._addresses(name, "A"), await self._addresses(name, "AAAA")
        except AnswerTimedOut as error:
            self._failed(str(error))
        except Unreachable:
            self._failed("nothing answers DNS there, or there is no way to it")
        else:
            self.answers.append(Answered(name, four, six))

    def _failed(self, why: str) -> None:
        self._failures += 1
        self.trouble = why

    async def _addresses(self, name: str, kind: str) -> tuple[str, ...]:
        """Where a name leads; nowhere, if there is none, or the server does not want to say."""
        try:
            return await self.evidence.lookup(name, kind, self.server, SECONDS)
        except (AnswerTimedOut, Unreachable):
            raise
        except NoAnswer:
            return ()


async def names(evidence: Evidence) -> tuple[Finding, ...]:
    """Every name leads here, over IPv4 and, if at all, over IPv6."""
    if evidence.simulated:
        skipped = told(NOT_ASKED)
        return (*named("names", skipped), *named("names-ipv6", skipped))
    asked = await all_asked(evidence)
    return (*named("names", four(evidence, asked)), *named("names-ipv6", six(evidence, asked)))


async def all_asked(evidence: Evidence) -> list[Inquiry]:
    """Ask all servers for names."""
    servers: Sequence[Server | None] = evidence.servers or (None,)
    inquiries = [Inquiry(evidence, server) for server in servers]
    for inquiry in inquiries:
        await inquiry.ask_all()
    return inquiries


def ours(evidence: Evidence) -> frozenset[str]:
    """The addresses that names may lead to: what the owner chose, and where we listen."""
    chosen = (evidence.announce, *evidence.settings.dns.answer)
    own = owned(evidence)
    wanted = {plain(address) for address in chosen if address} | own
    return frozenset(a for a in wanted if a not in own or not evidence.lacking(a))


def owned(evidence: Evidence) -> frozenset[str]:
    """The addresses of this box, but for those that others never reach."""
    return frozenset(plain(e.address) for e in evidence.own if not is_loopback(e.address))


def four(evidence: Evidence, asked: Sequence[Inquiry]) -> Verdict:
    """What is wrong with the answers for IPv4, the first server that has something wrong."""
    verdicts = [_of_one(evidence, inquiry) for inquiry in asked]
    for bad in (False, None):
        for verdict in verdicts:
            if verdict.sound is bad:
                return verdict
    return fine(f"all {len(evidence.hosts)} names lead here, says {_titles(asked)}")


def _titles(asked: Sequence[Inquiry]) -> str:
    return listed([inquiry.title for inquiry in asked])


def _of_one(evidence: Evidence, inquiry: Inquiry) -> Verdict:
    here = ours(evidence)
    if inquiry.dead and _is_not_started(evidence, inquiry.server):
        return told(NOT_STARTED)
    if inquiry.dead:
        return wrong(
            f"{inquiry.title} does not answer: {inquiry.trouble}",
            "look whether that server runs, and whether a firewall is in the way",
        )
    right = {each.name for each in inquiry.answers if each.four and here.issuperset(each.four)}
    astray = [name for name in evidence.hosts if name not in right]
    if not astray:
        return fine("")
    where = _where(here, inquiry, astray)
    sentence = f"{_astray(evidence, inquiry, astray)}{_elsewhere(evidence, where)}"
    if where in owned(evidence) and evidence.address in here:
        return wrong(sentence, f"have them lead to {evidence.address}; for that, {REMEDY}")
    return wrong(sentence, REMEDY)


def _is_not_started(evidence: Evidence, server: Server | None) -> bool:
    """Whether it is we who should answer."""
    if evidence.snapshot is not None or not evidence.settings.dns.serve or server is None:
        return False
    host, port = server
    here = is_loopback(host) or plain(host) in owned(evidence)
    return here and port == evidence.settings.dns.port


def _where(here: frozenset[str], inquiry: Inquiry, astray: list[str]) -> str:
    """Where names lead most often that do not lead here; empty for nowhere."""
    found = Counter(
        address
        for each in inquiry.answers
        if each.name in astray
        for address in each.four
        if address not in here
    )
    return found.most_common(1)[0][0] if found else ""


def _elsewhere(evidence: Evidence, where: str) -> str:
    """What is there instead, in words."""
    if not where:
        return ""
    closed = evidence.lacking(where) if where in owned(evidence) else ()
    more = f", an address of this box where port {closed[0]} is not ours" if closed else ""
    return f"; {where} is where they lead{more}"


def _astray(evidence: Evidence, inquiry: Inquiry, astray: list[str]) -> str:
    """How many names lead elsewhere, or nowhere."""
    if len(astray) == len(evidence.hosts):
        return f"none of the {len(astray)} names leads here, says {inquiry.title}"
    return (
        f"{len(astray)} of {len(evidence.hosts)} names do not lead here, says {inquiry.title}: "
        f"{listed(astray)}"
    )


def six(evidence: Evidence, asked: Sequence[Inquiry]) -> Verdict:
    """IPv6 leads nobody past us: who gets an address of the vendor prefers it."""
    here = ours(evidence)
    if all(inquiry.dead for inquiry in asked):
        return told("nobody answers who could say where names lead over IPv6")
    for inquiry in asked:
        leaks = [each for each in inquiry.answers if each.six and not here.issuperset(each.six)]
        if leaks:
            return wrong(
                f"{len(leaks)} names lead past this box over IPv6, says {inquiry.title}: "
                f"{listed([each.name for each in leaks])}, to {leaks[0].six[0]}",
                NO_SIX,
            )
    return fine("no name leads elsewhere over IPv6")
