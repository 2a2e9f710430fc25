"""Valid conversations with an MQTT server, and what becomes of them by accident or malice."""

import base64
import json
from collections.abc import Callable, Sequence
from random import Random

from tests.interop.raw_mqtt import (
    Kind,
    Login,
    answer,
    length,
    number,
    packet,
    publish,
    subscribe,
    text,
    unsubscribe,
)

#: A robot, by its three names.
ROBOT = ("7c1f0a52-93be-4d0e-8a44-1b6de2f09c35", "yna5xi", "qX7d")

OWN = "/".join(ROBOT)

HELPER = "helperbot/bumper/helperbot"

#: Bytes that have broken servers: bad UTF-8, NUL, wildcards, separators.
EVIL = (
    b"\x00",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xff",
    b"\xef\xbf\xbf",
    b"+",
    b"#",
    b"/",
    b"$SYS/",
)

#: Numbers that have broken servers, as two bytes.
EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFE, 0xFFFF)

#: Remaining lengths that are wrong in themselves or promise too much.
LENGTHS = (
    b"\xff\xff\xff\x7f",
    b"\xff\xff\xff\xff\x01",
    b"\x80\x80\x80\x00",
    b"\x80\x80\x01",
    b"\x7f",
)

REPORT = json.dumps(
    {"header": {"pri": 1, "ver": "0.0.1"}, "body": {"data": {"value": 61, "isLow": 0}}}
)

#: What robots and scripts say.
BODIES = (
    REPORT.encode(),
    b"<ctl ts='1'><battery power='61'/></ctl>",
    b'{"id": "a1", "cmd": "setVolume", "payload": {"body": {"data": {"volume": 7}}}}',
    b'{"event": "onBattery", "payload": {"body": {"data": {"value": 7}}}}',
)

#: Topics that are more than a way from one client to others.
ROBOT_TOPICS = (
    f"iot/atr/onBattery/{OWN}/j",
    f"iot/atr/reportStats/{OWN}/j",
    f"iot/atr/BatteryInfo/{OWN}/x",
    f"iot/p2p/getBattery/{OWN}/{HELPER}/p/abcd/j",
    f"attr/{ROBOT[0]}",
    f"rsp/{ROBOT[0]}",
    f"p2p/{ROBOT[0]}",
)

#: Levels of topics and filters.
LEVELS = ("fuzz", "fuzz", "a", "", "+", "#", "a+", "$SYS", "iot", "\u00e9", "\U0001f916", "x" * 90)

ANSWERS = (Kind.PUBACK, Kind.PUBREC, Kind.PUBREL, Kind.PUBCOMP)


def logins() -> list[Login]:
    """Everybody who may come in at a listener for anybody, and some who may not."""
    blocks = [
        base64.b64encode(json.dumps(each).encode()) for each in ({"fv": "1.4.2"}, {"st": 10})
    ]
    robot = f"{ROBOT[0]}@{ROBOT[1]}/{ROBOT[2]}"
    serial = "`".join(["E0009876500123450001", *(block.decode() for block in blocks)])
    return [
        Login(),
        Login("fuzz-1"),
        Login("fuzz-2", clean=False, will=("fuzz/will", b"gone", 1, True)),
        Login("fuzz-3", level=3, name="MQIsdp"),
        Login("fuzz-4", level=5),
        Login(robot, "E0009876500123450001", "abcd1234"),
        Login(robot, serial, "abcd1234"),
        Login("fuid_a1b2c3@ecouser/fuzz", "fuid_a1b2c3", "token"),
        Login("fuzz-5", keep_alive=0, will=("iot/atr/onBattery/x/y/z/j", b"", 2, False)),
    ]


def talk(random: Random) -> list[bytes]:
    """Packets of every type, each right for itself."""
    some, payload = random.randrange(1, 40), random.randbytes(random.randrange(200))
    return [
        subscribe(some, ("fuzz/#", 2), ("fuzz/+/x", 1)),
        subscribe(some, ("#", 0), ("$SYS/#", 1), ("iot/#", 2)),
        subscribe(some, (f"iot/p2p/+/+/+/+/{OWN}/q/+/+", 0), (f"p2p/{ROBOT[0]}", 1)),
        unsubscribe(some, "fuzz/#", "never"),
        publish("fuzz/a", payload),
        publish("fuzz/a/x", payload, 1, some),
        publish("fuzz/b", payload, 2, some),
        publish("fuzz/b", payload, 2, some, dup=True),
        publish(f"fuzz/kept/{some}", payload, 1, some, retain=True),
        publish(f"fuzz/kept/{some}", b"", 0, retain=True),
        publish(f"iot/atr/onBattery/{OWN}/j", REPORT.encode(), 1, some),
        publish(f"iot/atr/BatteryInfo/{OWN}/x", b"<ctl><battery power='61'/></ctl>"),
        publish(f"iot/p2p/getBattery/{OWN}/{HELPER}/p/abcd/j", REPORT.encode()),
        publish(f"attr/{ROBOT[0]}", json.dumps({"event": "onBattery", "payload": {}}).encode()),
        publish(
            f"rsp/{ROBOT[0]}", json.dumps({"id": "abcd", "payload": REPORT}).encode(), 1, some
        ),
        publish(f"p2p/{ROBOT[0]}", json.dumps({"id": "a", "cmd": "getBattery"}).encode()),
        *(answer(kind, some) for kind in ANSWERS),
        packet(Kind.PINGREQ),
    ]


def rude(random: Random) -> list[bytes]:
    """Packets that end a connection, though they are well made."""
    some = random.randrange(1, 40)
    return [
        packet(Kind.DISCONNECT),
        Login("fuzz-1").written(),
        packet(Kind.CONNACK, b"\0\0"),
        packet(Kind.SUBACK, number(some), b"\0"),
        packet(Kind.UNSUBACK, number(some)),
        packet(Kind.PINGRESP),
        packet(0xF0),
        packet(0x00),
    ]


def flipped(written: bytes, random: Random) -> bytes:
    """Some bits are wrong."""
    broken = bytearray(written)
    for _ in range(random.randrange(1, 5)):
        broken[random.randrange(len(broken))] ^= 1 << random.randrange(8)
    return bytes(broken)


def shortened(written: bytes, random: Random) -> bytes:
    """The end is missing, and the length does not say so."""
    return written[: random.randrange(1, len(written) + 1)]


def cut(written: bytes, random: Random) -> bytes:
    """The end is missing, and the length says so."""
    body = body_of(written)
    return packet(written[0], body[: random.randrange(len(body) + 1)])


def grown(written: bytes, random: Random) -> bytes:
    """There is more than the packet says inside."""
    return packet(written[0], body_of(written), random.randbytes(random.randrange(1, 50)))


def mislabelled(written: bytes, random: Random) -> bytes:
    """The remaining length is wrong."""
    wrong = random.choice((*LENGTHS, length(random.randrange(300))))
    return written[:1] + wrong + body_of(written)


def renamed(written: bytes, random: Random) -> bytes:
    """It is of another type, or has other flags."""
    return bytes([random.randrange(256)]) + written[1:]


def edged(written: bytes, random: Random) -> bytes:
    """A number inside is an extreme one: a string's length or a packet's identifier."""
    body = bytearray(body_of(written))
    if len(body) >= 2:
        at = random.choice((0, random.randrange(len(body) - 1)))
        body[at : at + 2] = number(random.choice(EDGES))
    return packet(written[0], bytes(body))


def poisoned(written: bytes, random: Random) -> bytes:
    """Bytes inside are some that have broken servers."""
    body, evil = bytearray(body_of(written)), random.choice(EVIL)
    at = random.randrange(len(body) + 1)
    body[at : at + random.choice((0, len(evil)))] = evil
    return packet(written[0], bytes(body))


def deepened(written: bytes, random: Random) -> bytes:
    """A topic with very many levels, or a very long one."""
    level = random.choice((b"/", b"+/", b"a/", b"aaaaaaaaaaaaaaaa"))
    topic = level * random.choice((1, 5, 20, 31, 120, 4000)) + random.choice((b"", b"#"))
    return packet(written[0], text(topic), body_of(written)[:20])


def spliced(written: bytes, random: Random) -> bytes:
    """The beginning of one packet, and the end of another."""
    body, other = body_of(written), body_of(random.choice(talk(random)))
    first, last = random.randrange(len(body) + 1), random.randrange(len(other) + 1)
    return packet(written[0], body[:first], other[last:])


def noise(written: bytes, random: Random) -> bytes:
    """No packet at all."""
    return random.randbytes(len(written))


MUTATIONS: Sequence[Callable[[bytes, Random], bytes]] = (
    flipped,
    flipped,
    shortened,
    cut,
    grown,
    mislabelled,
    renamed,
    edged,
    edged,
    poisoned,
    poisoned,
    deepened,
    spliced,
    noise,
)


def body_of(written: bytes) -> bytes:
    """A packet without its first byte and length."""
    at = 1
    while written[at] > 127:
        at += 1
    return written[at + 1 :]


def odd_payload(random: Random) -> bytes:
    """What a robot or a script might say, and has something wrong in it."""
    said = bytearray(random.choice(BODIES))
    at = random.randrange(len(said))
    said[at : at + random.randrange(9)] = random.choice((*EVIL, b"9" * 400, b"[" * 400, b"<", b""))
    return bytes(said)


def odd_topic(random: Random) -> str:
    """Levels that somebody might choose, in any order."""
    return "/".join(random.choices(LEVELS, k=random.randrange(1, 8)))


def odd(random: Random) -> bytes:
    """A packet that is well made and makes no sense, which a connection mostly survives."""
    some, qos = random.choice((1, 2, 3, 40, 41, 65_535)), random.randrange(3)
    filters = [odd_topic(random) for _ in range(random.randrange(1, 5))]
    match random.randrange(7):
        case 0:
            return subscribe(some, *((each, qos) for each in filters))
        case 1:
            return unsubscribe(some, *filters)
        case 2:
            return answer(random.choice(ANSWERS), some)
        case 3:
            return publish(random.choice(ROBOT_TOPICS), odd_payload(random), qos, some)
        case _:
            topic = odd_topic(random).replace("+", "p").replace("#", "h")
            flags = random.random() < 0.3, qos > 0 and random.random() < 0.3
            return publish(topic, random.randbytes(random.randrange(60)), qos, some, *flags)


def conversation(random: Random, mutants: int) -> tuple[bytes, bytes, bool]:
    """
    One connection's bytes: its login, the rest, and whether the login is in order.

    Among packets that are as they should be are mutants.  Many of them end a connection, so
    most are odd ones, which mostly do not.
    """
    login, proper_login = random.choice(logins()).written(), random.random() > 0.1
    if not proper_login:
        login = random.choice(MUTATIONS)(login, random)
    proper, said = talk(random), []
    for _ in range(mutants):
        if random.random() < 0.2:
            said.append(random.choice(proper))
        wrong = random.random() < 0.25
        made = random.choice(MUTATIONS)(random.choice(proper), random) if wrong else odd(random)
        said.append(made)
    if random.random() < 0.1:
        said.insert(random.randrange(mutants), random.choice(rude(random)))
    if random.random() < 0.1:
        repeated = random.randrange(len(said))
        said[repeated:repeated] = said[repeated:]
    if random.random() < 0.1:
        random.shuffle(said)
    return login, b"".join(said), proper_login
