"""What connections that came to nothing tell, as long as nothing better has come since."""

from collections.abc import Callable, Sequence
from ipaddress import ip_address

from attrs import field, frozen

from bumper_tw.app.doctor.evidence import A_DAY, DOCKER, Evidence
from bumper_tw.app.doctor.finding import Verdict, fine, listed, moment, together, told
from bumper_tw.app.doctor.snapshot import ContactSeen
from bumper_tw.front.contact import Outcome, Speech
from bumper_tw.front.whom import is_on_this_box
from bumper_tw.pki.zones import in_zone

#: Who failed, at what, and how.
Kind = tuple[str, str, str]

#: Says of a later contact and an earlier one that failed whether that one is settled.
Settles = Callable[[ContactSeen, ContactSeen], bool]

NO_SERVER = "no server runs here, whose contacts would tell"

#: Seconds for which somebody counts who was never let in, and wanted nothing of the vendor's.
AN_HOUR = 3600.0

#: What was spoken when nobody knows it.
UNSAID = {Speech.NOTHING.value, Speech.OTHER.value}

SESSIONS = {Speech.MQTT.value, Speech.XMPP.value}

#: As many different things are told by one check.
MOST = 20


def _arrived(later: ContactSeen) -> bool:
    """It is logged in, or was answered."""
    return later.outcome == Outcome.ACCEPTED.value


def has_tls(later: ContactSeen, _: ContactSeen) -> bool:
    """TLS works now, whatever for."""
    return _arrived(later) and bool(later.tls)


def trusts_us(later: ContactSeen, failed: ContactSeen) -> bool:
    """It trusts our authority now."""
    return same_name(later, failed) or shows_trust(later, failed)


def shows_trust(later: ContactSeen, failed: ContactSeen) -> bool:
    """
    The same program has shown it.  A phone's browser that trusts us says nothing about the apps
    beside it, which ask for names of the vendor's.
    """
    same = bool(failed.agent) and failed.agent == later.agent
    return later.trusts and (same or not in_zone(failed.server_name))


def same_name(later: ContactSeen, failed: ContactSeen) -> bool:
    """TLS works now for the same server name."""
    return has_tls(later, failed) and later.server_name == failed.server_name


def has_session(later: ContactSeen, _: ContactSeen) -> bool:
    """It is logged in over MQTT or XMPP."""
    return _arrived(later) and later.speech in SESSIONS


def came_well(later: ContactSeen, _: ContactSeen) -> bool:
    """Whatever it wants, it got it."""
    return _arrived(later)


class Neighbours:
    """Who is behind which address: one device, or several that share it."""

    def __init__(self, contacts: Sequence[ContactSeen]) -> None:
        self._robots: dict[str, set[str]] = {}
        self._known: set[str] = set()
        for each in contacts:
            if each.robot:
                self._robots.setdefault(each.host, set()).add(each.robot)
            if _is_known(each):
                self._known.add(each.host)

    def share(self, host: str) -> bool:
        """Whether several devices come from there, as they do through Docker, or a router."""
        several = len(self._robots.get(host, ())) > 1
        return several or _is_docker(host) or is_on_this_box(host, "")

    def counts(self, failed: ContactSeen, now: float) -> bool:
        """Whether it is of interest still: a probe by somebody unknown is, for a while."""
        ours = failed.host in self._known or in_zone(failed.server_name)
        return failed.began > now - (A_DAY if ours else AN_HOUR)

    def same(self, later: ContactSeen, failed: ContactSeen) -> bool:
        """Whether two contacts from one address are of one device, for the same purpose."""
        if failed.speech not in UNSAID and later.speech != failed.speech:
            return False
        who = failed.server_name or failed.robot
        if later.trusts:
            return not self.share(failed.host)
        if who and who not in {later.server_name, later.robot}:
            return False
        if not self.share(failed.host):
            return True
        if failed.claim:
            return later.claim == failed.claim
        return bool(who) or not (later.server_name or later.robot)


def _is_known(contact: ContactSeen) -> bool:
    """It was let in; a page may be read by anybody."""
    logged_in = contact.speech in SESSIONS or bool(contact.robot)
    return _arrived(contact) and (logged_in or in_zone(contact.server_name))


def _is_docker(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.version == 4 and address in DOCKER


@frozen
class Sight:
    """
    A check that looks at contacts.

    @ivar diagnoses: their names, as L{bumper_tw.front.diagnosis} gives them.
    @ivar well: what to say when there is none of them.
    @ivar settles: what makes up for one.
    @ivar alike: whether only a contact like the failed one can; see L{Neighbours.same}.
    """

    diagnoses: tuple[str, ...]
    well: str
    settles: Settles
    alike: bool = field(default=True, kw_only=True)

    def __call__(self, evidence: Evidence) -> Verdict:
        """All that stands, what happened to several in one."""
        if evidence.snapshot is None:
            return told(NO_SERVER)
        found = standing(evidence.contacts, self, evidence.now)
        if not found:
            return fine(self.well)
        return together(told_of(alike, evidence.now) for alike in _grouped(found)[:MOST])


def standing(contacts: Sequence[ContactSeen], sight: Sight, now: float) -> list[ContactSeen]:
    """
    The failed contacts that nothing has made up for, the newest of each kind, newest first.

    @param contacts: the oldest first.
    @param now: seconds since 1970.
    """
    neighbours = Neighbours(contacts)
    hosts: dict[str, dict[Kind, ContactSeen]] = {}
    for each in contacts:
        if each.diagnosis in sight.diagnoses:
            if neighbours.counts(each, now):
                hosts.setdefault(each.host, {})[_kind(each)] = each
        elif each.host in hosts:
            hosts[each.host] = _unsettled(hosts[each.host], each, sight, neighbours)
    found = [each for kinds in hosts.values() for each in kinds.values()]
    return sorted(found, key=lambda each: -each.number)


def _kind(failed: ContactSeen) -> Kind:
    who = failed.server_name or failed.robot or failed.claim
    return (who, failed.speech, failed.diagnosis)


def _unsettled(
    kinds: dict[Kind, ContactSeen], later: ContactSeen, sight: Sight, neighbours: Neighbours
) -> dict[Kind, ContactSeen]:
    """What one contact from the same address does not make up for."""
    return {
        kind: failed
        for kind, failed in kinds.items()
        if not (
            sight.settles(later, failed) and (not sight.alike or neighbours.same(later, failed))
        )
    }


def _grouped(found: Sequence[ContactSeen]) -> list[list[ContactSeen]]:
    """Those to whom the same has happened, with the same way out."""
    groups: dict[tuple[str, str], list[ContactSeen]] = {}
    for each in found:
        way_out = each.remedy.replace(each.host, "")
        groups.setdefault((each.diagnosis, way_out), []).append(each)
    return list(groups.values())


def told_of(alike: Sequence[ContactSeen], now: float) -> Verdict:
    """
    What happened to somebody, and to whom else.

    @param alike: the newest first.
    """
    newest, *_ = alike
    hosts = tuple(dict.fromkeys(each.host for each in alike))
    also = f" (also {listed(hosts[1:])})" if hosts[1:] else ""
    about = " ".join((newest.diagnosis, *sorted(hosts)))
    return Verdict(
        False, f"{where_and_when(newest, now)}{also}", newest.remedy, hosts=hosts, about=about
    )


def where_and_when(contact: ContactSeen, now: float) -> str:
    """What happened, to which address, and at what time."""
    when = moment(contact.began, now)
    place = f"{contact.host}, {when}" if contact.host else when
    return f"{contact.sentence.removesuffix('.')} ({place})"


#: The checks, by name.
SIGHTS: dict[str, Sight] = {
    "tls-versions": Sight(("old-tls",), "nobody was too old for TLS", has_tls),
    "ciphers": Sight(("no-cipher",), "nobody lacked a cipher", has_tls),
    "untrusted-ca": Sight(("untrusted-ca",), "nobody refused our certificate", trusts_us),
    "app-pins": Sight(("app-pins",), "no app insists on the vendor's certificate", same_name),
    "handshakes": Sight(
        ("handshake-cut", "tls-failed"), "nobody failed in the handshake otherwise", has_tls
    ),
    "mqtt-on-web": Sight(("mqtt-on-web",), "nobody spoke MQTT where only HTTP is", has_session),
    "wrong-port": Sight(
        ("wrong-protocol", "tls-on-clear", "clear-on-tls", "not-spoken"),
        "everybody spoke what is spoken on his port",
        came_well,
    ),
    # Who was told where to go comes there as somebody else, so to speak.
    "sent-away": Sight(
        ("sent-away",), "everybody came where he was told to", has_session, alike=False
    ),
    # Who was not let in had no time to say who he is.
    "crowds": Sight(("crowded",), "nobody was turned away", came_well, alike=False),
    "logins": Sight(("refused",), "nobody was refused", came_well),
}

#: What else is seen of checks that look at more than contacts.
PINNED = Sight(("robot-pins",), "no robot insists on the vendor's certificate", same_name)
OTHER_TIME = Sight(("clock",), "nobody thinks our certificate is of another time", has_tls)
