"""Addresses."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.wire.xmpp_jid import MAX_PART, Jid, parse_jid

ADDRESSES: list[tuple[str, Jid]] = [
    (
        "E0009876500123450001@126.ecorobot.net/atom",
        Jid("E0009876500123450001", "126.ecorobot.net", "atom"),
    ),
    ("fuid_a1b2c3@ecouser.net", Jid("fuid_a1b2c3", "ecouser.net")),
    ("ecouser.net", Jid("", "ecouser.net")),
    ("ecouser.net/x", Jid("", "ecouser.net", "x")),
    ("a@b/c/d@e", Jid("a", "b", "c/d@e")),
    ("a@b/c d", Jid("a", "b", "c d")),
    ("küche@b", Jid("küche", "b")),
]

NONE = ["", "@", "/", "a@", "@b", "a@/c", "@b/c", "a@b/", "a@b@c", "a b@c", "a'@c", "a<@c", "a:@c",
        "a\0@b", "a@b\n", "a@b/c\n", "a@b/\0", "a&@b", 'a"@b', "a@b c", "a" * (MAX_PART + 1),
        "a@b/" + "c" * (MAX_PART + 1)]  # fmt: skip


class JidTests(SynchronousTestCase):
    """L{parse_jid} and L{Jid}."""

    def test_addresses(self) -> None:
        """Each form is read, and written as it was."""
        for text, jid in ADDRESSES:
            self.assertEqual(parse_jid(text), jid)
            self.assertEqual(str(jid), text)

    def test_none(self) -> None:
        """What has an empty part or an unfit one is no address."""
        for text in NONE:
            self.assertRaises(ValueError, parse_jid, text)

    def test_longest(self) -> None:
        """A part may have just as much as is allowed."""
        part = "a" * MAX_PART
        self.assertEqual(parse_jid(f"{part}@{part}/{part}"), Jid(part, part, part))

    def test_key(self) -> None:
        """Case matters in the resource only, and nothing is a look-alike."""
        spelt, folded = parse_jid("SN1@126.Ecorobot.net/Atom"), parse_jid("sn1@126.ecorobot.net")
        self.assertEqual(spelt.key, folded.key)
        self.assertNotEqual(spelt.resource, "atom")
        self.assertNotEqual(parse_jid("ann@x").key, parse_jid("joann@x").key)

    def test_bare(self) -> None:
        """The bare address has no resource."""
        self.assertEqual(parse_jid("a@b/c").bare, parse_jid("a@b"))
        self.assertEqual(parse_jid("a@b").bare, parse_jid("a@b"))

    @given(st.text(max_size=40))
    def test_anything(self, text: str) -> None:
        """A text is refused, or it is just the address that it says."""
        try:
            jid = parse_jid(text)
        except ValueError:
            return
        self.assertEqual(str(jid), text)
