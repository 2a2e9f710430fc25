"""
What a contact comes to: a name for what happened, one sentence for the owner, and one remedy.

The names are stable: programs, and the doctor, go by them.  The sentences are in L{KINDS}, the
first of which that fits counts.
"""

from attrs import frozen

from bumper_tw.front import kinds, tls_kinds
from bumper_tw.front.kinds import Case, Kind


@frozen
class Diagnosis:
    """
    What a contact comes to.

    @ivar name: of the kind, one of L{KINDS}.
    @ivar sound: whether there is nothing to mend.
    @ivar sentence: what happened.
    @ivar remedy: what to do about it; empty when there is nothing to do.
    """

    name: str
    sound: bool
    sentence: str
    remedy: str = ""


#: What a firmware that checks certificates needs.
INTO_ROBOT = (
    "this firmware checks certificates, so ours has to get into the robot: {page} has "
    "ca-certificates.tar.gz and says how; bumper doctor lists the firmware known to do this"
)

#: What else to do who changes one listener.
LISTEN = (
    "the [[listen]] of port {port} (write all listeners into the settings, as in "
    "docs/first-connection.rst, since what stands there replaces all default ones)"
)

#: What to do when nobody knows better.
REPORT = "show the makers of bumper what bumper journal {host} --json says"

#: What to do about a client that is too old, or too new.
LEGACY = f"if that is a robot, set legacy_tls = true in {LISTEN}; if that does not help, {REPORT}"

KINDS: tuple[Kind, ...] = (
    Kind(
        "crowded",
        kinds.crowded_out,
        "{Who} was turned away, because there were too many connections that had not said what "
        "they want.",
        "see with bumper journal who opens so many; the limits are front.undecided and "
        "front.undecided_per_peer in the settings",
    ),
    Kind(
        "crowded",
        kinds.crowded,
        "{Who} was turned away, because there were too many connections.",
        "see with bumper journal who opens so many; the limits are connections and "
        "connections_per_peer in [web], [mqtt] and [xmpp]",
    ),
    Kind(
        "not-spoken",
        kinds.not_spoken,
        "{Who} wants a version of MQTT that is not spoken here ({verdict}).",
        "tell it to use MQTT 3.1.1, which clients call protocol version 4",
    ),
    Kind(
        "refused",
        kinds.wrong_secret,
        "{Who} was not let in: {verdict}.",
        "if it is yours, perhaps after a factory reset, run bumper robot trust {robot}, and then "
        "send the server SIGHUP",
    ),
    Kind(
        "refused",
        kinds.refused,
        "{Who} was not let in: {verdict}.",
        "check its name and password (bumper user list); for a robot after a factory reset, run "
        "bumper robot trust with its id (bumper robot list)",
    ),
    Kind(
        "violation",
        kinds.violation,
        "{Who} broke the rules of {speech}, so the connection was ended: {verdict}.",
        f"if this comes again, {REPORT}",
    ),
    Kind(
        "clear-on-tls",
        tls_kinds.clear_on_tls,
        "{Who} spoke {clear} without encryption to port {port}, where TLS is spoken only.",
        "let it use TLS ({tls_scheme}), or a port without TLS, of which "
        "docs/first-connection.rst has a list",
    ),
    Kind(
        "old-tls",
        tls_kinds.old_tls,
        "{Who} speaks no version of TLS that is allowed on port {port}; it offers {versions}.",
        LEGACY,
    ),
    Kind(
        "no-cipher",
        tls_kinds.hopeless,
        "{Who} knows no cipher suite that is spoken here; it offers {offers}.",
        "no setting changes that: use newer software there, or a port without TLS, if it can; if "
        f"that is a robot, {REPORT}",
    ),
    Kind(
        "no-cipher",
        tls_kinds.no_cipher,
        "{Who} knows no {lacks} that is allowed on port {port}; it offers {offers}.",
        LEGACY,
    ),
    Kind(
        "clock",
        tls_kinds.clock,
        "{Who} says that the certificate of this box has run out, or is not valid yet.",
        "set the clocks of this box and of the device (here it is {now}), and see with bumper "
        "certs list whether the certificate has run out",
    ),
    Kind(
        "untrusted-ca",
        tls_kinds.robot_disliked,
        "{Who} does not accept the certificate of this box ({alert}): its clock is behind, or its "
        "firmware checks certificates.",
        "wait some minutes: robots have no clock of their own, and ask for the time (NTP) when "
        "they are in the Wi-Fi, so it has to reach a time server; if it goes on, "
        f"{INTO_ROBOT}",
    ),
    Kind(
        "robot-pins",
        tls_kinds.robot_pins,
        "{Who} does not accept the certificate of this box ({alert}).",
        INTO_ROBOT,
    ),
    Kind(
        "robot-pins",
        tls_kinds.robot_left,
        "{Who} ended {phase} without a word, again and again: most likely it does not accept the "
        "certificate of this box.",
        f"most likely {INTO_ROBOT}",
    ),
    Kind(
        "handshake-cut",
        tls_kinds.robot_gave_up,
        "{Who} ended the TLS handshake and did not say why{in_words}; robots that accept the "
        "vendor's own certificates only do that.",
        f"switch it off and on; if it does that again, most likely {INTO_ROBOT}",
    ),
    Kind(
        "app-pins",
        tls_kinds.app_pins,
        "{Who} does not accept the certificate of this box ({alert}), although another program "
        "at its address trusts it: this one accepts the vendor's own certificates only.",
        "use a version that does not (Ecovacs Home 2.4.1 or older on Android), one that was "
        "changed accordingly, or no app: bumper has an API",
    ),
    Kind(
        "app-pins",
        tls_kinds.app_left,
        "{Who} made a secure connection and ended it without a word, again and again: most likely "
        "it accepts the vendor's own certificates only, or does not trust ours.",
        "open {page} on that device and press its button; if the device does trust, use a "
        "version of the app that checks less (Ecovacs Home 2.4.1 or older on Android)",
    ),
    Kind(
        "untrusted-ca",
        tls_kinds.disliked,
        "{Who} does not accept the certificate of this box ({alert}): it does not trust it, or "
        "its clock is behind.",
        "set the clock of that device, and open {page} on it: it shows how to install the "
        "certificate of this box",
    ),
    Kind(
        "untrusted-ca",
        tls_kinds.program_rejected,
        "{Who} does not trust the certificate of this box ({alert}).",
        "give it the certificate from {page}, tell it not to check, or let it use http:// and "
        "mqtt:// on the ports without TLS",
    ),
    Kind(
        "untrusted-ca",
        tls_kinds.untrusted,
        "{Who} does not trust the certificate of this box ({alert}).",
        "open {page} on that device: it shows how to install the certificate of this box",
    ),
    Kind(
        "handshake-cut",
        tls_kinds.cut,
        "{Who} ended the TLS handshake and did not say why{in_words}; programs that accept the "
        "vendor's own certificates only do that.",
        "open {page} on that device and press its button; if the device does trust this box, the "
        "program has a check of its own",
    ),
    Kind(
        "own-look",
        tls_kinds.own_cut,
        "Something on this box looked whether TLS is spoken on port {port}.",
        sound=True,
    ),
    Kind(
        "unfinished",
        tls_kinds.left_once,
        "{Who} ended {phase} without a word{in_words}; once, that may mean nothing.",
        "if it goes on for some minutes, look here again; if it stays away, look whether its "
        "network loses packets",
    ),
    Kind(
        "tls-failed",
        tls_kinds.tls_failed,
        "{Who} and this box could not agree on TLS: {alert}.",
        REPORT,
    ),
    Kind(
        "tls-on-clear",
        kinds.tls_on_clear,
        "{Who} wanted TLS on port {port}, where nothing but clear text is spoken.",
        f"let it use a port with TLS, or set tls = true in {LISTEN}",
    ),
    Kind(
        "mqtt-on-web",
        kinds.mqtt_on_web,
        "{Who} spoke MQTT on port {port}, where only HTTP is answered.",
        f'let it use a port for MQTT, or set serve = "all" in {LISTEN}',
    ),
    Kind(
        "wrong-protocol",
        kinds.wrong_protocol,
        "{Who} spoke {speech} on port {port}, where only {serves} is answered.",
        f'let it use another port, or set serve = "all" in {LISTEN}',
    ),
    Kind(
        "scanner",
        kinds.scanner,
        "{Who} looks which ports are open here.",
        sound=True,
    ),
    Kind(
        "no-protocol",
        kinds.no_protocol,
        "{Who} said something on port {port} that is neither HTTP nor MQTT nor XMPP ({first}).",
        f"if that is a robot, {REPORT}",
    ),
    Kind(
        "too-slow",
        kinds.slow_inside,
        "{Who} made a secure connection, then said nothing.",
        "nothing is to be done about a client that is well otherwise; if its network is slow, "
        "raise front.seconds in the settings",
    ),
    Kind(
        "too-slow",
        kinds.too_slow,
        "{Who} took too long to say on port {port} what it wants.",
        "if the network of that device is slow, raise front.seconds in the settings",
    ),
    Kind(
        "unused",
        tls_kinds.unused,
        "{Who} made a secure connection and did not need it.",
        sound=True,
    ),
    Kind(
        "own-look",
        kinds.own_look,
        "Something on this box looked whether port {port} is open.",
        sound=True,
    ),
    Kind(
        "silent",
        kinds.silent,
        "{Who} came to port {port} and did not say anything.",
        "if that is a robot, look whether its network loses packets (weak Wi-Fi); nothing is to "
        "be done about a program that only looks whether the port is open",
    ),
    Kind(
        "sent-away",
        kinds.sent_away,
        "{Who} was told to go to {told}, and did not come there within a minute.",
        "make sure that {told} is the address of this box for that device (server.announce in "
        "the settings), that both are in the same network, no guest Wi-Fi or VLAN between them, "
        "and that no firewall is in the way; bumper doctor checks the address",
    ),
    Kind(
        "unfinished",
        kinds.unfinished,
        "{Who} left before it was clear what it wanted{in_reason}.",
        "if it does not come back by itself, look whether its network loses packets",
    ),
    Kind(
        "cut-off",
        kinds.cut_off,
        "{Who} was cut off before it was clear what it wanted{in_reason}.",
        sound=True,
    ),
    Kind(
        "open",
        kinds.undecided,
        "{Who} is there, and has not said yet what it wants.",
        sound=True,
    ),
    Kind("ok", lambda _: True, "{Who} was {served}.", sound=True),
)


def diagnose(case: Case) -> Diagnosis:
    """What a contact comes to, by what is known now."""
    kind = next(kind for kind in KINDS if kind.fits(case))
    words = kinds.words(case)
    return Diagnosis(
        kind.name, kind.sound, kind.sentence.format_map(words), kind.remedy.format_map(words)
    )
