"""The robots, and the programs beside them."""

import re
from collections.abc import Iterator

from bumper_tw.app.doctor.evidence import Evidence, is_inward, speaks
from bumper_tw.app.doctor.finding import Verdict, fine, listed, moment, together, told, wrong
from bumper_tw.app.doctor.seen import MOST, NO_SERVER, Neighbours, where_and_when
from bumper_tw.app.doctor.snapshot import ContactSeen, ListenerSeen, RobotSeen
from bumper_tw.dialect.firmware import Trust, trust
from bumper_tw.dialect.models import model
from bumper_tw.front.whom import is_on_this_box
from bumper_tw.web.call import in_brackets

#: Seconds after which a robot that is connected has said something.
PATIENCE = 600.0

#: Seconds for which nobody is missed after a start.
SETTLING = 120.0

#: What may be the did of a robot, in what it says of itself.
WORDS = re.compile(r"[\w-]+")

NO_ROBOTS = "no robot is known yet"


def silent(evidence: Evidence) -> Verdict:
    """Robots that are connected report something."""
    if evidence.snapshot is None:
        return told(NO_SERVER)
    mute = [robot for robot in evidence.robots if _is_mute(robot, evidence.now)]
    if not mute:
        return fine("every robot that is connected reports" if evidence.robots else NO_ROBOTS)
    are, says = ("is", "says") if len(mute) == 1 else ("are", "say")
    return wrong(
        f"{listed([robot.called for robot in mute])} {are} connected and {says} nothing",
        f"switch it off and on; bumper journal {mute[0].did} --watch tells what it does",
    )


def _is_mute(robot: RobotSeen, now: float) -> bool:
    long = bool(robot.since) and now - robot.since > PATIENCE
    return robot.online and long and robot.heard < robot.since


def offline(evidence: Evidence) -> Verdict:
    """Robots that are known are connected."""
    if evidence.snapshot is None:
        return told(NO_SERVER)
    missing = [robot for robot in evidence.robots if not robot.online]
    if not missing:
        return fine("every robot is connected" if evidence.robots else NO_ROBOTS)
    if evidence.now - evidence.snapshot.started < SETTLING and not any(r.since for r in missing):
        return told("the server has only just started; robots are on their way")
    return together(_missed(evidence, missing))


def _missed(evidence: Evidence, missing: list[RobotSeen]) -> Iterator[Verdict]:
    """Each robot of which a reason is known, and then all others."""
    troubles = Troubles(evidence)
    found = [(robot, troubles.of(robot.did)) for robot in missing]
    troubled = [(robot, last) for robot, last in found if last is not None][:MOST]
    for robot, last in troubled:
        yield _in_trouble(robot, last, evidence.now)
    told_of = {robot.did for robot, _ in troubled}
    gone = [each for each in missing if each.did not in told_of]
    if gone:
        yield _gone(gone, evidence.now)


def _in_trouble(robot: RobotSeen, last: ContactSeen, now: float) -> Verdict:
    return Verdict(
        False,
        f"{robot.called} is not connected: {where_and_when(last, now)}",
        last.remedy,
        hosts=(last.host,),
        about=f"{robot.did} {last.diagnosis}",
    )


def _gone(gone: list[RobotSeen], now: float) -> Verdict:
    """Those that do not come, so that nobody knows why."""
    one = len(gone) == 1
    each = [f"{robot.called} {_last_here(robot, now)}" for robot in gone]
    sentence = f"{gone[0].called} is not connected; it {_last_here(gone[0], now)}"
    return Verdict(
        False,
        sentence if one else f"{len(gone)} robots are not connected: {listed(each, MOST)}",
        f"look whether {'it is' if one else 'they are'} switched on and in the Wi-Fi; "
        f"bumper journal {gone[0].did} --watch tells when it comes",
        about=" ".join(sorted(robot.did for robot in gone)),
    )


def _last_here(robot: RobotSeen, now: float) -> str:
    """Until when it was here, as far as that is known."""
    if robot.since:
        return f"was here until {moment(robot.since, now)}"
    if robot.heard:
        return f"was heard last at {moment(robot.heard, now)}"
    return "has not come since the server was started"


class Troubles:
    """Why robots are not here."""

    def __init__(self, evidence: Evidence) -> None:
        self._neighbours = Neighbours(evidence.contacts)
        self._by_word: dict[str, ContactSeen] = {}
        self._by_host: dict[str, ContactSeen] = {}
        for each in evidence.contacts:
            self._by_host[each.host] = each
            for word in (each.robot, *WORDS.findall(each.claim)):
                self._by_word[word] = each

    def of(self, did: str) -> ContactSeen | None:
        """What came last from where it was last, unless that went well."""
        mine = self._by_word.get(did)
        if mine is None:
            return None
        here = is_on_this_box(mine.host, mine.local)
        last = mine if here or self._neighbours.share(mine.host) else self._by_host[mine.host]
        return last if last.remedy else None


def firmware(evidence: Evidence) -> Verdict:
    """Robots whose software is known to accept no certificates but the vendor's."""
    if evidence.snapshot is None:
        return told(NO_SERVER)
    pinning = [robot for robot in evidence.robots if _trust(robot) is Trust.PINS]
    if not pinning:
        return fine("of no robot here it is known that it checks certificates")
    away = [robot.called for robot in pinning if not robot.online]
    if away:
        return wrong(
            f"{listed(away)}: this software accepts only the vendor's certificates",
            "its list of authorities has to be replaced over its serial port: see "
            "/ca-certificates.tar.gz on this box; and do not update robots",
        )
    names, one = listed([robot.called for robot in pinning]), len(pinning) == 1
    return fine(f"{names} may check certificates, and {'is' if one else 'are'} connected")


def _trust(robot: RobotSeen) -> Trust:
    known = model(robot.model)
    return trust(known.name if known else "", robot.firmware)


def home_assistant(evidence: Evidence) -> Verdict:
    """What has to be typed there."""
    address = evidence.address
    rest, mqtt = _rest(evidence), _mqtt(evidence)
    if not (address and rest and mqtt):
        return told("Home Assistant needs a listener for HTTP and one for MQTT that it reaches")
    return told(
        "what to type in Home Assistant, integration Ecovacs:",
        "advanced mode     on, in your profile there",
        "mode              self-hosted",
        f"REST URL          {_url('http', address, rest)}",
        f"MQTT URL          {_url('mqtts', address, mqtt)}",
        "verify MQTT       off: take the tick away",
        "country           any",
        "account           the one that your robots belong to",
    )


def _url(scheme: str, address: str, listener: ListenerSeen) -> str:
    return f"{scheme}://{in_brackets(address)}:{listener.port}"


def _rest(evidence: Evidence) -> ListenerSeen | None:
    """Where HTTP is clear: Home Assistant verifies certificates there, whatever it is told."""
    return _best(evidence, (e for e in evidence.listeners if speaks(e, "web") and not e.tls))


def _mqtt(evidence: Evidence) -> ListenerSeen | None:
    return _best(evidence, (e for e in evidence.listeners if speaks(e, "mqtt") and e.tls))


def _best(evidence: Evidence, places: Iterator[ListenerSeen]) -> ListenerSeen | None:
    """The port that is no well-known one, if there is a choice; others are busy more often."""
    open_ = [e for e in places if e.bound and e.port and (evidence.simulated or not is_inward(e))]
    return max(open_, key=lambda each: each.port, default=None)
