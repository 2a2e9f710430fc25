"""The vendor's XMPP addresses (xmpp.md 2)."""

from bumper_tw.dialect.logins import ROBOT_CLASS
from bumper_tw.values import DeviceId
from bumper_tw.wire.xmpp_jid import Jid

#: Users belong to it, and it is how the server calls itself to everybody.
USERS = "ecouser.net"

#: Robots of a class belong to C{<class>.} in front of this.
ROBOTS = "ecorobot.net"

#: Two services beside the robots: relations and alerts, and device events (xmpp.md 11).
RELATIONS, EVENTS = f"rl.{ROBOTS}", f"de.{ROBOTS}"

#: The resource of every robot.
ATOM = "atom"


def robot_class(domain: str) -> str | None:
    """The class of the robots of a domain; C{None} if it is no domain of robots."""
    label, _, zone = domain.lower().partition(".")
    if zone != ROBOTS or label in {"rl", "de"} or not ROBOT_CLASS.fullmatch(label):
        return None
    return label


def robot_domain(model: str) -> str:
    """The domain of a class of robots."""
    return f"{model}.{ROBOTS}"


def is_ours(domain: str) -> bool:
    """Whether we answer for a domain."""
    folded = domain.lower()
    return folded in {USERS, RELATIONS, EVENTS} or robot_class(folded) is not None


def robot_jid(device: DeviceId) -> Jid:
    """The full address of a robot, whatever resource it may have told elsewhere."""
    return Jid(device.did, robot_domain(device.model), ATOM)


def user_jid(uid: str, resource: str = "") -> Jid:
    """The address of a user, or of one session of his."""
    return Jid(uid, USERS, resource)
