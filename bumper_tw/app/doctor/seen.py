"""What connections that came to nothing tell, as long as nothing better has come since."""

from collections.abc import Callable, Sequence

from attrs import frozen

from bumper_tw.app.doctor.evidence import Evidence
from bumper_tw.app.doctor.finding import Verdict, fine, listed, told, wrong
from bumper_tw.app.doctor.snapshot import ContactSeen
from bumper_tw.front.contact import Outcome, Speech

#: Says of a later contact and an earlier one that failed whether that one is settled.
Settles = Callable[[ContactSeen, ContactSeen], bool]

NO_SERVER = "no server runs here, whose contacts would tell"


def _arrived(later: ContactSeen) -> bool:
    """It is logged in, or was answered."""
    return later.outcome == Outcome.ACCEPTED.value


def has_tls(later: ContactSeen, _: ContactSeen) -> bool:
    """TLS works now, whatever for."""
    return _arrived(later) and bool(later.tls)


def trusts_us(later: ContactSeen, failed: ContactSeen) -> bool:
    """It trusts our authority now."""
    return later.trusts or same_name(later, failed)


def same_name(later: ContactSeen, failed: ContactSeen) -> bool:
    """
    TLS works now for the same server name.  A phone's browser that trusts us says nothing about
    the apps beside it, which ask for others.
    """
    return has_tls(later, failed) and later.server_name == failed.server_name


def has_session(later: ContactSeen, _: ContactSeen) -> bool:
    """It is logged in over MQTT or XMPP."""
    return _arrived(later) and later.speech in {Speech.MQTT.value, Speech.XMPP.value}


def came_well(later: ContactSeen, _: ContactSeen) -> bool:
    """Whatever it wants, it got it."""
    return _arrived(later)


@frozen
class Sight:
    """
    A check that looks at contacts.

    @ivar diagnoses: their names, as L{bumper_tw.front.diagnosis} gives them.
    @ivar well: what to say when there is none of them.
    @ivar settles: what makes up for one.
    """

    diagnoses: tuple[str, ...]
    well: str
    settles: Settles

    def __call__(self, evidence: Evidence) -> Verdict:
        """The newest one that stands, with who else there is."""
        if evidence.snapshot is None:
            return told(NO_SERVER)
        found = standing(evidence.contacts, self)
        if not found:
            return fine(self.well)
        newest, *others = found
        also = f" (also {listed([each.host for each in others])})" if others else ""
        return wrong(f"{newest.sentence}{also}", newest.remedy)


def standing(contacts: Sequence[ContactSeen], sight: Sight) -> list[ContactSeen]:
    """
    The failed contacts that nothing has made up for, the newest of each address, newest first.

    @param contacts: the oldest first.
    """
    newest: dict[str, ContactSeen] = {}
    for each in contacts:
        if each.diagnosis in sight.diagnoses:
            newest.pop(each.host, None)
            newest[each.host] = each
        elif each.host in newest and sight.settles(each, newest[each.host]):
            del newest[each.host]
    return list(reversed(newest.values()))


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
    "sent-away": Sight(("sent-away",), "everybody came where he was told to", has_session),
    "crowds": Sight(("crowded",), "nobody was turned away", came_well),
    "logins": Sight(("refused",), "nobody was refused", came_well),
}

#: What else is seen of checks that look at more than contacts.
PINNED = Sight(("robot-pins",), "no robot insists on the vendor's certificate", same_name)
OTHER_TIME = Sight(("clock",), "nobody thinks our certificate is of another time", has_tls)
