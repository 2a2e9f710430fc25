"""What is read of a TLS client before it is answered."""

import contextlib
from collections.abc import Iterable
from struct import pack
from time import process_time

from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import ProtocolViolation
from bumper_tw.wire.client_hello import (
    MOST,
    NUMBERS,
    PROTOCOLS,
    ClientHello,
    HelloReader,
    host_name,
)

NAME = "jmq-ngiot-eu.dc.robotww.ecouser.net"


def read(data: bytes) -> ClientHello | None:
    """What a new reader makes of all that has come."""
    return HelloReader().feed(data)


def made_by_openssl(
    version: int = SSL.TLS1_2_VERSION, name: str = NAME, alpn: tuple[bytes, ...] = ()
) -> bytes:
    """The first bytes of a client that speaks up to this version."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(b"ALL:@SECLEVEL=0")
    context.set_min_proto_version(SSL.TLS1_VERSION)
    context.set_max_proto_version(version)
    if alpn:
        context.set_alpn_protos(list(alpn))
    client = SSL.Connection(context, None)
    if name:
        client.set_tlsext_host_name(name.encode())
    client.set_connect_state()
    with contextlib.suppress(SSL.WantReadError):
        client.do_handshake()
    return client.bio_read(MOST)


def vector(width: int, data: bytes) -> bytes:
    """With the length in front, in so many bytes."""
    return len(data).to_bytes(width) + data


def extension(number: int, data: bytes) -> bytes:
    """One extension."""
    return pack("!H", number) + vector(2, data)


def server_name(name: bytes, kind: int = 0) -> bytes:
    """Whom the client wants."""
    return extension(0, vector(2, bytes([kind]) + vector(2, name)))


def numbers(*each: int) -> bytes:
    """Two bytes for each."""
    return pack(f"!{len(each)}H", *each)


def body(extensions: bytes | None = b"", ciphers: bytes = b"\xc0\x2f") -> bytes:
    """A hello without what says how long it is."""
    start = b"\3\3" + bytes(32) + vector(1, b"s") + vector(2, ciphers)
    return start + vector(1, b"\0") + (b"" if extensions is None else vector(2, extensions))


def message(contents: bytes) -> bytes:
    """A message of the handshake."""
    return b"\x01" + vector(3, contents)


def records(
    contents: bytes, size: int = 1 << 14, kind: int = 22, version: bytes = b"\3\1"
) -> bytes:
    """As many records as it takes."""
    pieces = (contents[at : at + size] for at in range(0, len(contents), size))
    return b"".join(bytes([kind]) + version + vector(2, piece) for piece in pieces)


def hello(extensions: bytes | None = b"", ciphers: bytes = b"\xc0\x2f") -> bytes:
    """All of it, in one record."""
    return records(message(body(extensions, ciphers)))


def one_by_one(data: bytes) -> ClientHello | None:
    """What is read when each byte comes alone."""
    reader, found = HelloReader(), None
    for at in range(len(data)):
        found = reader.feed(data[at : at + 1])
    return found


class OpenSSLTests(SynchronousTestCase):
    """Hellos that OpenSSL makes."""

    def test_name(self) -> None:
        """The name that is asked for is read in every version, and its absence."""
        for version in SSL.TLS1_VERSION, SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION:
            for name in NAME, "":
                found = read(made_by_openssl(version, name))
                assert found is not None
                self.assertEqual(found.server_name, name, hex(version))

    def test_versions(self) -> None:
        """What it says is taken: a single version up to 1.2, the list of TLS 1.3."""
        expected = {
            SSL.TLS1_VERSION: (0x0301,),
            SSL.TLS1_2_VERSION: (0x0303,),
            SSL.TLS1_3_VERSION: (0x0304, 0x0303, 0x0302, 0x0301),
        }
        for version, versions in expected.items():
            found = read(made_by_openssl(version))
            assert found is not None
            self.assertEqual(found.versions, versions)

    def test_offers(self) -> None:
        """Suites, groups, kinds of signatures and protocols are those of OpenSSL."""
        found = read(made_by_openssl(SSL.TLS1_3_VERSION, alpn=(b"h2", b"http/1.1")))
        assert found is not None
        self.assertIn(0x1301, found.ciphers)
        self.assertIn(0xC02F, found.ciphers)
        self.assertIn(29, found.groups)
        self.assertIn(0x0804, found.signatures)
        self.assertEqual(found.alpn, ("h2", "http/1.1"))

    def test_no_signatures(self) -> None:
        """TLS 1.0 knows nothing of kinds of signatures."""
        found = read(made_by_openssl(SSL.TLS1_VERSION))
        assert found is not None
        self.assertEqual((found.signatures, found.alpn), ((), ()))

    def test_cut_anywhere(self) -> None:
        """Nothing is known before the last byte, and all of it then, wherever the cut is."""
        data = made_by_openssl(SSL.TLS1_3_VERSION, alpn=(b"h2",))
        whole = read(data)
        self.assertIsNotNone(whole)
        for at in range(len(data)):
            reader = HelloReader()
            self.assertIsNone(reader.feed(data[:at]), at)
            self.assertEqual(reader.feed(data[at:]), whole, at)
            self.assertIsNone(read(data[:at]), at)

    def test_any_records(self) -> None:
        """However many records it is spread over, whole and byte by byte."""
        data = made_by_openssl(SSL.TLS1_3_VERSION)
        for size in 1, 2, 3, 4, 5, 100, len(data) - 6:
            spread = records(data[5:], size)
            self.assertEqual(read(spread), read(data), size)
            self.assertEqual(one_by_one(spread), read(data), size)

    def test_what_follows(self) -> None:
        """Bytes behind it, of the same record too, change nothing and are no violation."""
        data = made_by_openssl()
        self.assertEqual(read(data + b"\x10 what is this"), read(data))
        self.assertEqual(read(records(data[5:] + b"more")), read(data))
        reader = HelloReader()
        found = reader.feed(data)
        self.assertIs(reader.feed(b"\0\0\0"), found)


class MadeUpTests(SynchronousTestCase):
    """Hellos that no library makes."""

    def test_bare(self) -> None:
        """Without extensions, also without the place for them, the version is the old one."""
        for data in hello(None), hello(b""):
            self.assertEqual(read(data), ClientHello("", (0x0303,), (0xC02F,)))

    def test_old_records(self) -> None:
        """The version of the record may be anything from SSL 3 on; it does not count."""
        for version in b"\3\0", b"\3\1", b"\3\3", b"\3\4":
            found = read(records(message(body()), version=version))
            self.assertEqual(found, ClientHello("", (0x0303,), (0xC02F,)))

    def test_grease(self) -> None:
        """What only has the purpose of meaning nothing is left out everywhere."""
        grease = numbers(0x0A0A, 0xFAFA)
        told = (
            extension(0x1A1A, b"")
            + extension(43, vector(1, grease + numbers(0x0304)))
            + extension(10, vector(2, grease + numbers(29, 0x0A1A)))
            + extension(13, vector(2, numbers(0x0403) + grease))
            + extension(16, vector(2, vector(1, b"\x2a\x2a") + vector(1, b"h2")))
        )
        self.assertEqual(
            read(hello(told, ciphers=grease + numbers(0x1301))),
            ClientHello("", (0x0304,), (0x1301,), (29, 0x0A1A), (0x0403,), ("h2",)),
        )

    def test_twice(self) -> None:
        """Of two extensions with one number the first counts, and a number counts once."""
        told = server_name(b"one.example") + server_name(b"two.example")
        found = read(hello(told, ciphers=numbers(5, 4, 5)))
        self.assertEqual(found, ClientHello("one.example", (0x0303,), (5, 4)))

    def test_other_names(self) -> None:
        """A name of a kind that nobody has defined is passed over; so is an empty list."""
        mixed = vector(2, b"\7" + vector(2, b"what") + b"\0" + vector(2, b"box.lan"))
        for told, name in ((extension(0, mixed), "box.lan"), (extension(0, b""), "")):
            self.assertEqual(read(hello(told)), ClientHello(name, (0x0303,), (0xC02F,)))

    def test_protocols_in_print(self) -> None:
        """What names itself with bytes that steer a terminal is spelled out, and cut."""
        told = extension(16, vector(2, vector(1, b"\x1b[2J\xff") + vector(1, b"x" * 255)))
        found = read(hello(told))
        assert found is not None
        self.assertEqual(found.alpn, (r"\x1b[2J\xff", "x" * 32))

    def test_bounded(self) -> None:
        """Of very many offers only some are kept."""
        ciphers = numbers(*range(1000))
        told = extension(16, vector(2, vector(1, b"h2") * 1000))
        found = read(hello(told, ciphers=ciphers))
        assert found is not None
        self.assertEqual(found.ciphers, tuple(range(NUMBERS)))
        self.assertEqual(len(found.alpn), PROTOCOLS)

    def test_shared(self) -> None:
        """What clients of one kind offer is in memory once, however many of them come."""
        first, second = (read(made_by_openssl(name=name)) for name in ("one.lan", "two.lan"))
        assert first is not None
        assert second is not None
        self.assertNotEqual(first, second)
        self.assertIs(first.ciphers, second.ciphers)
        self.assertIs(first.groups, second.groups)

    def test_longest(self) -> None:
        """As long as it may be, a byte at a time; one more is too long as soon as it is said."""
        fill = MOST - 4 - len(body(extension(21, b"")))
        longest = message(body(extension(21, bytes(fill))))
        self.assertEqual(len(longest), MOST)
        self.assertIsNotNone(one_by_one(records(longest)))
        self.assertIsNotNone(one_by_one(records(longest, 1)))
        longer = message(body(extension(21, bytes(fill + 1))))
        with self.assertRaises(ProtocolViolation):
            read(records(longer)[:9])

    def test_time(self) -> None:
        """Byte by byte costs each byte once, not all that came before it."""
        data = records(message(body(extension(21, bytes(MOST - 100)))), 1)
        began = process_time()
        self.assertIsNotNone(one_by_one(data))
        # 80,000 pieces; reading all again for each would take minutes.
        self.assertLess(process_time() - began, 5)


class NameTests(SynchronousTestCase):
    """What is a host name, and what is none."""

    def assertNames(self, expected: str, names: Iterable[bytes]) -> None:
        """Each of them leads to the same."""
        for name in names:
            self.assertEqual(host_name(name), expected, name)
            found = read(hello(server_name(name)))
            assert found is not None
            self.assertEqual(found.server_name, expected)

    def test_one_name(self) -> None:
        """Case and a dot at the end make no difference."""
        self.assertNames("box.lan", [b"box.lan", b"BOX.lan", b"Box.Lan."])

    def test_single(self) -> None:
        """One label, digits within a name and an underscore are allowed."""
        for name in "bumper", "1.example.2x", "_my-box.lan", "xn--kche-0ra.de":
            self.assertNames(name, [name.encode()])

    def test_none(self) -> None:
        """Addresses, what is empty or too long, other letters and paths are no names."""
        long = b".".join([b"a" * 63] * 4)
        none = [b"", b".", b"a..b", b".a", b"a..", b"-a.de", b"a-.de", b"a" * 64, long]
        none += [b"192.168.1.9", b"::1", b"[::1]", b"fe80::1%eth0", b"1"]
        none += ["k\u00fcche.de".encode(), b"a b", b"a\0b", b"../key", b"a/b", b"*.de", b"a\n"]
        self.assertNames("", none)


class ViolationTests(SynchronousTestCase):
    """What is no hello."""

    def assertNone(self, data: bytes) -> None:
        """It is refused, whole and byte by byte."""
        with self.assertRaises(ProtocolViolation):
            read(data)
        with self.assertRaises(ProtocolViolation):
            one_by_one(data)

    def test_first_byte(self) -> None:
        """MQTT, HTTP, XMPP and SSL 2 are known by one byte."""
        for first in b"\x10", b"G", b"<", b"\x80", b"\x15":
            self.assertNone(first)

    def test_other_messages(self) -> None:
        """A handshake that begins with another message is none of a client."""
        self.assertNone(records(b"\2"))

    def test_other_version(self) -> None:
        """SSL 2 and what is not SSL at all is not TLS."""
        for version in b"\2\0", b"\4\0", b"TP":
            self.assertNone(records(message(body()), version=version))

    def test_record_length(self) -> None:
        """An empty record, and one that is longer than any may be."""
        self.assertNone(b"\x16\3\1\0\0")
        self.assertNone(b"\x16\3\1\x40\x01")

    def test_between(self) -> None:
        """Another kind of record within a hello."""
        whole = message(body())
        self.assertNone(records(whole[:9]) + records(b"\1\0", kind=21) + records(whole[9:]))
        self.assertNone(records(whole[:9]) + records(b"\1", kind=20))

    def test_each_length(self) -> None:
        """A byte too few anywhere within what the lengths claim is noticed."""
        whole = body(server_name(b"box.lan") + extension(43, vector(1, numbers(0x0304))))
        for end in range(len(whole)):
            # Without any extensions, and without the place for them, it would be whole.
            if whole[:end] != body(None):
                self.assertNone(records(message(whole[:end])))

    def test_too_much(self) -> None:
        """Bytes that no length accounts for."""
        self.assertNone(records(message(body() + b"\0")))
        self.assertNone(hello(extension(43, vector(1, numbers(0x0304)) + b"\0")))

    def test_lies_inside(self) -> None:
        """Lists that go beyond their extension, and half numbers."""
        self.assertNone(hello(extension(10, b"\0\x09\0\x1d")))
        self.assertNone(hello(extension(10, vector(2, b"\0\x1d\0"))))
        self.assertNone(hello(extension(43, b"")))
        self.assertNone(hello(extension(0, vector(2, b"\0\0\xffbox"))))
        self.assertNone(hello(extension(16, vector(2, b"\xffh2"))))
        self.assertNone(hello(ciphers=b"\0"))

    @given(st.binary(max_size=200), st.lists(st.integers(1, 50), max_size=5))
    def test_garbage(self, data: bytes, cuts: list[int]) -> None:
        """Anything is a hello, not yet one or a violation, and the cuts do not matter."""
        for begun in data, records(data) if data else b"", records(message(data)):
            self.assertEqual(outcome(begun, cuts), outcome(begun, []))

    @given(st.integers(0, 10_000), st.integers(0, 255))
    def test_one_byte_wrong(self, where: int, what: int) -> None:
        """A hello with one byte changed is read or refused, and nothing else happens."""
        data = bytearray(EXAMPLE)
        data[where % len(data)] = what
        self.assertEqual(outcome(bytes(data), [1] * len(data)), outcome(bytes(data), []))


EXAMPLE = made_by_openssl(SSL.TLS1_3_VERSION, alpn=(b"h2", b"http/1.1"))


def outcome(data: bytes, cuts: list[int]) -> ClientHello | str | None:
    """What comes of it, in pieces of these sizes and the rest."""
    reader, found = HelloReader(), None
    try:
        for cut in [*cuts, len(data)]:
            found = reader.feed(data[:cut])
            data = data[cut:]
    except ProtocolViolation as broken:
        return str(broken)
    return found
