"""The robots, and the programs beside them."""

from collections.abc import Iterator

from bumper_tw.app.doctor.evidence import Evidence, is_inward, speaks
from bumper_tw.app.doctor.finding import Verdict, fine, listed, told, wrong
from bumper_tw.app.doctor.seen import NO_SERVER
from bumper_tw.app.doctor.snapshot import ContactSeen, ListenerSeen, RobotSeen
from bumper_tw.dialect.firmware import Trust, trust
from bumper_tw.dialect.models import model
from bumper_tw.front.whom import is_on_this_box
from bumper_tw.web.call import in_brackets

#: Seconds after which a robot that is connected has said something.
PATIENCE = 600.0

#: Seconds for which nobody is missed after a start.
SETTLING = 120.0

NO_ROBOTS = "no robot is known yet"


def silent(evidence: Evidence) -> Verdict:
    """Robots that are connected report something."""
    if evidence.snapshot is None:
        return told(NO_SERVER)
    mute = [robot for robot in evidence.robots if _is_mute(robot, evidence.now)]
    if not mute:
        return fine("every robot that is connected reports" if evidence.robots else NO_ROBOTS)
    return wrong(
        f"{listed([robot.called for robot in mute])} is connected and says nothing",
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
    names = listed([robot.called for robot in missing])
    return _missing(names, missing[0], _last_trouble(evidence, missing[0].did))


def _missing(names: str, first: RobotSeen, last: ContactSeen | None) -> Verdict:
    if last is None:
        return wrong(
            f"{names} is not connected, and did not try",
            f"look whether it is switched on and in the Wi-Fi; bumper journal {first.did} "
            "--watch tells when it comes",
        )
    return wrong(f"{names} is not connected: {last.sentence}", last.remedy)


def _last_trouble(evidence: Evidence, did: str) -> ContactSeen | None:
    """Why it is not here: what came last from where it was last, unless that went well."""
    mine = next((each for each in reversed(evidence.contacts) if each.robot == did), None)
    if mine is None or is_on_this_box(mine.host, mine.local):
        last = mine
    else:
        last = next(each for each in reversed(evidence.contacts) if each.host == mine.host)
    return last if last is not None and last.remedy else None


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
            f"{listed(away)} has software that accepts only the vendor's certificates",
            "its list of authorities has to be replaced over its serial port: see "
            "/ca-certificates.tar.gz on this box; and do not update robots",
        )
    return fine(f"{listed([r.called for r in pinning])} may check certificates, and is connected")


def _trust(robot: RobotSeen) -> Trust:
    known = model(robot.model)
    return trust(known.name if known else "", robot.firmware)


def home_assistant(evidence: Evidence) -> Verdict:
    """What has to be typed there."""
    address = evidence.address
    rest, mqtt = _rest(evidence), _mqtt(evidence)
    if not (address and rest and mqtt):
        return told("Home Assistant needs a listener for HTTP and one for MQTT that it reaches")
    urls = f"REST URL {_url('http', address, rest)}, MQTT URL {_url('mqtts', address, mqtt)}"
    return told(
        "Home Assistant, integration Ecovacs, with the advanced mode of your profile: mode "
        f"self-hosted, {urls}, the tick at verifying the MQTT certificate taken away, any "
        "country, and the account that your robots belong to"
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
