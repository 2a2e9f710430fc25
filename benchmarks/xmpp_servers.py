"""Two XMPP servers, ours and Prosody, and how the same parties log in at either."""

from base64 import b64encode

from attrs import field, frozen

from benchmarks.brokers import OURS, Place, Start, installed, our_own

PROSODY = "prosody"

#: The class of the robots at ours; a DEEBOT that speaks nothing but XMPP.
ROBOT_CLASS = "126"

#: All parties come from one address, and no limit of ours is to be measured.  Our pings, every 30
#: seconds by default, would come in some rounds and not in others.
OUR_CONFIG = """
[log]
level = "warn"

[server]
announce = "{host}"

[tls]
directory = "{certificates}"

[identity]
robots = 100000
new_robots_per_hour = 100000

[front]
seconds = 300
undecided = 100000
undecided_per_peer = 100000

[xmpp]
connections = 100000
connections_per_peer = 100000
strangers = 100000
strangers_per_peer = 100000
ping_seconds = 300
silence_seconds = 3600
login_seconds = 300

[[listen]]
serve = "xmpp"
at = "tcp:{plain}:interface={host}"

[[listen]]
serve = "xmpp"
at = "tcp:{tls}:interface={host}"
"""

#: Nothing that does not take part in a login or a relay.  Any password will do, as at home with
#: ours; passwords are not what is measured.
PROSODY_CONFIG = """
daemonize = false
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
certificates = "{certificates}"
log = {{ error = "*console" }}
interfaces = {{ "{host}" }}
c2s_ports = {{ {plain} }}
c2s_direct_tls_ports = {{ {tls} }}
c2s_require_encryption = true
network_settings = {{ nagle = false }}
ssl = {{ certificate = "{certificates}/bumper.crt"; key = "{certificates}/bumper.key" }}
c2s_direct_tls_ssl = {{
  certificate = "{certificates}/bumper.crt"; key = "{certificates}/bumper.key"
}}
storage = "internal"
authentication = "insecure"
insecure_open_authentication = "Yes please, I know what I'm doing!"
conflict_resolve = "kick_old"
modules_enabled = {{ "saslauth", "tls" }}
modules_disabled = {{ "s2s", "s2s_auth_certs", "offline", "presence", "message" }}
VirtualHost "bench.local"
"""


@frozen
class Who:
    """
    A party: an app or a robot.

    @ivar password: in the form of its kind (xmpp.md 4).
    """

    name: str
    domain: str
    resource: str
    password: str = field(repr=False)

    @property
    def address(self) -> bytes:
        """Its full address."""
        return f"{self.name}@{self.domain}/{self.resource}".encode()

    @property
    def plain(self) -> bytes:
        """What it says in SASL PLAIN."""
        return b64encode(f"\0{self.name}\0{self.password}".encode())


@frozen
class Realm:
    """
    Where the parties of a server live.

    @ivar users: the domain of apps.
    @ivar robots: the one of robots.
    """

    users: str
    robots: str

    def app(self, number: int) -> Who:
        """One of the apps, each of which has a user of its own."""
        return Who(f"user{number:04}", self.users, "bench", f"0/bench/token{number:04}")

    def robot(self, number: int) -> Who:
        """One of the robots."""
        return Who(f"robot{number:04}", self.robots, "atom", f"secret{number:04}")

    def party(self, number: int) -> Who:
        """One of a crowd, of which every other one is a robot."""
        return (self.robot if number % 2 else self.app)(number // 2)


REALMS = {
    OURS: Realm("ecouser.net", f"{ROBOT_CLASS}.ecorobot.net"),
    PROSODY: Realm("bench.local", "bench.local"),
}


def ours(python: str) -> Start:
    """Our server, with nothing but XMPP; either port takes STARTTLS and TLS."""
    return our_own(python, OUR_CONFIG)


def prosody() -> Start:
    """
    The Prosody of the system.

    @raise Absent: it is not installed.
    """
    program = installed("prosody")

    def starting(place: Place) -> list[str]:
        (place.folder / "data").mkdir()
        config = place.settle("prosody.cfg.lua", PROSODY_CONFIG, folder=str(place.folder))
        return [program, "-F", "--config", str(config)]

    return starting
