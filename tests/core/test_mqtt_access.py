"""Tests for L{bumper_tw.core.mqtt_access}: the owner's file of topic rules."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.mqtt_access import (
    FILE_LIMIT,
    MOST_PERSONAL,
    MOST_RULES,
    AccessList,
    Rule,
    WrittenRights,
)
from bumper_tw.errors import StartError
from bumper_tw.values import Principal, Role
from tests.samples import ALICE, DUSTY, DUSTY_ITSELF

SERVICE = Principal(Role.SERVICE, "dashboard", resource="panel-1")
OTHER = Principal(Role.SERVICE, "other", resource="other-1")
NOBODY = Principal(Role.ANONYMOUS, "", resource="mqttjs_1")

#: Topics of every sort.
TOPICS = (
    "home/lamp",
    "home/alarm/code",
    "weather",
    "devices/panel-1/state",
    "people/dashboard/phone",
    f"iot/atr/onBattery/{DUSTY}/j",
    f"attr/{DUSTY.did}",
    f"rsp/{DUSTY.did}",
    f"p2p/{DUSTY.did}",
    "$SYS/broker/uptime",
)
ROBOTS = TOPICS[5:8]

#: Files that are right more often than chance would have it.
files = st.lists(
    st.sampled_from(["topic ", "pattern ", "user ", "read ", "write ", "deny ", "readwrite "])
    | st.sampled_from(["iot", "$SYS", "home", "dashboard", "/", "/#", "/+", "#", "+", "x"])
    | st.sampled_from(["%u", "%c", "\n", "\n", "\n", "\r", "\0", " "])
    | st.text(max_size=2),
    max_size=30,
).map("".join)


def parsed(*lines: str) -> AccessList:
    """The rules in some lines."""
    return AccessList.parse("\n".join(lines), "acl")


class AccessCase(SynchronousTestCase):
    """Asks for somebody's rights."""

    def rights(self, access: AccessList, who: Principal = SERVICE) -> WrittenRights:
        """The rights of somebody whom a file names."""
        rights = access.rights(who)
        assert rights is not None
        return rights

    def heard(self, access: AccessList, who: Principal = SERVICE) -> list[str]:
        """Those of all topics that somebody hears."""
        return [topic for topic in TOPICS if self.rights(access, who).may_hear(topic)]

    def said(self, access: AccessList, who: Principal = SERVICE) -> list[str]:
        """Those of all topics that somebody may publish to."""
        return [topic for topic in TOPICS if self.rights(access, who).may_publish(topic)]


class SyntaxTests(AccessCase):
    """What the lines say."""

    def test_deeds(self) -> None:
        """Reading and writing are two things; without a word it is both."""
        for deed, heard, said in (
            ("read ", True, False),
            ("write ", False, True),
            ("readwrite ", True, True),
            ("", True, True),
            ("deny ", False, False),
        ):
            rights = self.rights(parsed("user dashboard", f"topic {deed}home/#"))
            found = (rights.may_hear("home/lamp"), rights.may_publish("home/lamp"))
            self.assertEqual(found, (heard, said), deed)

    def test_lines(self) -> None:
        """Blank lines, comments, tabs, line ends of elsewhere, and names with blanks."""
        access = parsed(
            "# a comment",
            "",
            "   \t ",
            "  # another",
            "user  my dashboard \r",
            "\ttopic\tread  home/living room\r",
        )
        self.assertEqual(dict(access.users), {"my dashboard": (Rule("read", "home/living room"),)})
        self.assertEqual((access.general, access.patterns), ((), ()))

    def test_sections(self) -> None:
        """Rules belong to the user above them, patterns to everybody; users may come again."""
        access = parsed(
            "topic read weather",
            "user a",
            "topic a",
            "pattern read p/%u",
            "user b",
            "user a",
            "topic write b",
        )
        self.assertEqual(access.general, (Rule("read", "weather"),))
        self.assertEqual(access.patterns, (Rule("read", "p/%u"),))
        self.assertEqual(
            dict(access.users), {"a": (Rule("readwrite", "a"), Rule("write", "b")), "b": ()}
        )

    def test_example_of_mosquitto(self) -> None:
        """A file such as mosquitto comes with means what it means there."""
        access = parsed(
            "# without a user name",
            "topic read $SYS/#",
            "",
            "user dashboard",
            "topic home/lamp",
            "",
            "pattern write $SYS/broker/connection/%c/state",
        )
        self.assertEqual(self.heard(access, NOBODY), ["$SYS/broker/uptime"])
        self.assertEqual((self.heard(access), self.said(access)), (["home/lamp"], ["home/lamp"]))
        state = "$SYS/broker/connection/{}/state"
        rights = self.rights(access)
        self.assertTrue(rights.may_publish(state.format("panel-1")))
        self.assertFalse(rights.may_publish(state.format("other-1")))


class BadLineTests(SynchronousTestCase):
    """A file with a line that cannot be read counts for nothing."""

    def refused(self, *lines: str) -> str:
        """What the owner is told."""
        return str(self.assertRaises(StartError, parsed, *lines))

    def test_reasons(self) -> None:
        """The error names the file, the line and what is wrong with it."""
        for line, reason in (
            ("topics home/#", "'topics' is none of user, topic and pattern"),
            ("Topic home/#", "'Topic' is none of"),
            ("topic", "nothing behind 'topic'"),
            ("user", "nothing behind 'user'"),
            ("user  ", "nothing behind 'user'"),
            ("topic deny", "no filter behind 'deny'"),
            ("topic denied home/#", "'denied' is none of read, write"),
            ("topic living room", "'living' is none of read, write"),
            ("topic read home/#/lamp", "not the last level"),
            ("topic read home+", "shares its level"),
            ("topic read home/\0", "NUL"),
            ("topic read home/%u", "but in a pattern"),
            ("pattern read home-%u", "shares its level"),
            ("pattern read home/%c%u", "shares its level"),
            ("x" * 10_000, "is none of"),
        ):
            told = self.refused("topic home/#", line)
            self.assertIn(reason, told)
            self.assertTrue(told.startswith("acl: line 2: "), told)
            self.assertLess(len(told), 200)

    def test_fails_as_a_whole(self) -> None:
        """A good line does not save a file: the bad one may have denied something."""
        told = self.refused("user dashboard", "topic home/#", "topic dney home/alarm/#")
        self.assertIn("line 3", told)

    def test_several(self) -> None:
        """The owner hears of several bad lines at once, but not of thousands."""
        self.assertEqual(self.refused("a", "topic b", "c").count("line "), 2)
        self.assertEqual(self.refused(*"x" * 10_000).count("line "), 5)

    def test_too_many_rules(self) -> None:
        """There is an end to rules, wherever they stand."""
        most = ["user a", *["topic a"] * (MOST_RULES - 1), "pattern a"]
        self.assertEqual(len(parsed(*most).users["a"]), MOST_RULES - 1)
        self.assertIn(f"more than {MOST_RULES} rules", self.refused(*most, "topic a"))

    def test_too_many_personal(self) -> None:
        """There are fewer of the rules that each client has its own of."""
        most = [f"pattern {number}/%c" for number in range(MOST_PERSONAL)]
        self.assertEqual(len(parsed(*most, "pattern a", "topic b").patterns), MOST_PERSONAL + 1)
        told = self.refused(*most, "pattern a/%u")
        self.assertIn(f"more than {MOST_PERSONAL} patterns with %u or %c", told)

    @given(files)
    def test_garbage(self, text: str) -> None:
        """
        Any text is a file of rules, or a named error; and whatever the rules are, they speak for
        robots only where a line says so.
        """
        try:
            access = AccessList.parse(text, "acl")
        except StartError:
            return
        for who in SERVICE, NOBODY, Principal(Role.SERVICE, "iot", resource="$SYS"):
            rights = access.rights(who) or AccessList(patterns=(Rule("deny", "#"),)).rights(who)
            assert rights is not None
            if rights.may_publish("iot/x"):
                self.assertRegex(text, r"(topic|pattern)( write| readwrite|) +iot(/|\s|$)")
            if rights.may_hear("$SYS/x"):
                self.assertRegex(text, r"(topic|pattern)( read| readwrite|) +\$SYS(/|\s|$)")


class FileTests(SynchronousTestCase):
    """The file itself."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def refused(self) -> str:
        """What the owner is told."""
        return str(self.assertRaises(StartError, AccessList.load, self.path))

    def test_read(self) -> None:
        """What is in the file counts, also behind a byte order mark."""
        for mark in b"", b"\xef\xbb\xbf":
            self.path.write_bytes(mark + "user Jürgen\r\ntopic küche/#\r\n".encode())
            access = AccessList.load(self.path)
            self.assertEqual(dict(access.users), {"Jürgen": (Rule("readwrite", "küche/#"),)})

    def test_empty(self) -> None:
        """An empty file has no rules, and names nobody."""
        for held in b"", b"\n", b"# nothing\n":
            self.path.write_bytes(held)
            access = AccessList.load(self.path)
            self.assertEqual(access, AccessList())
            for who in SERVICE, NOBODY:
                self.assertIsNone(access.rights(who))

    def test_unreadable(self) -> None:
        """The owner is told which file, and why."""
        self.assertIn(f"{self.path}: cannot be read", self.refused())
        self.path.mkdir()
        self.assertIn(f"{self.path}: cannot be read", self.refused())

    def test_not_text(self) -> None:
        """Other encodings are not guessed."""
        self.path.write_bytes("topic küche".encode("latin-1"))
        self.assertIn("UTF-8", self.refused())

    def test_too_large(self) -> None:
        """A large file is not even looked at."""
        self.path.write_bytes(b"#" * FILE_LIMIT)
        self.assertEqual(AccessList.load(self.path), AccessList())
        self.path.write_bytes(b"#" * (FILE_LIMIT + 1))
        self.assertIn("larger", self.refused())

    def test_bad_line(self) -> None:
        """A bad line is named with the file it is in."""
        self.path.write_bytes(b"topic a\nnonsense\n")
        self.assertIn(f"{self.path}: line 2: 'nonsense'", self.refused())


class WhoTests(AccessCase):
    """Whom a file names."""

    def test_users(self) -> None:
        """A user line names one account, also when nothing stands below it."""
        access = parsed("user dashboard")
        self.assertEqual((self.heard(access), self.said(access)), ([], []))
        self.assertIsNone(access.rights(OTHER))
        self.assertIsNone(access.rights(NOBODY))

    def test_general(self) -> None:
        """Rules above the first user are those of clients without an account alone."""
        access = parsed("topic read home/#")
        self.assertEqual(self.heard(access, NOBODY), ["home/lamp", "home/alarm/code"])
        self.assertIsNone(access.rights(SERVICE))

    def test_patterns(self) -> None:
        """A pattern names every account, and those without one."""
        access = parsed("user dashboard", "topic weather", "pattern read home/+")
        self.assertEqual(self.heard(access), ["home/lamp", "weather"])
        self.assertEqual(self.heard(access, OTHER), ["home/lamp"])
        self.assertEqual(self.heard(access, NOBODY), ["home/lamp"])

    def test_others(self) -> None:
        """Robots and users have rules of their own, whatever they are called."""
        access = parsed(
            "topic #", f"user {DUSTY.did}", "topic #", f"user {ALICE.name}", "pattern #"
        )
        self.assertIsNone(access.rights(DUSTY_ITSELF))
        self.assertIsNone(access.rights(ALICE))


class RightsTests(AccessCase):
    """What the rules come to."""

    def test_everything(self) -> None:
        """C{#} is everything but the words of robots, and what starts with C{$}."""
        access = parsed("user dashboard", "topic #")
        self.assertEqual(self.heard(access), list(TOPICS[:-1]))
        self.assertEqual(self.said(access), [t for t in TOPICS[:-1] if t not in ROBOTS])

    def test_words_of_robots(self) -> None:
        """Only a rule that begins with their level lets somebody speak for robots."""
        for rule in "topic +/#", "topic write +/atr/#", "topic write +/+", "pattern #":
            access = parsed("user dashboard", rule)
            self.assertFalse(set(ROBOTS) & set(self.said(access)), rule)
        for rule, expected in (
            ("topic write iot/#", ROBOTS[0]),
            ("topic iot/+/+/+/+/+/+", ROBOTS[0]),
            ("topic write attr/+", ROBOTS[1]),
            (f"topic {ROBOTS[2]}", ROBOTS[2]),
        ):
            self.assertEqual(self.said(parsed("user dashboard", rule)), [expected], rule)

    def test_never_retained(self) -> None:
        """Nothing is retained under robots' topics, whatever the file says (mqtt.md 3.6)."""
        lines = [f"topic {level}/#" for level in ("iot", "attr", "rsp", "p2p", "$SYS", "home")]
        rights = self.rights(parsed("user dashboard", *lines))
        retained = [topic for topic in TOPICS if rights.may_retain(topic)]
        self.assertEqual(retained, ["home/lamp", "home/alarm/code", "$SYS/broker/uptime"])

    def test_retain_needs_write(self) -> None:
        """Who may only read leaves nothing behind."""
        rights = self.rights(parsed("user dashboard", "topic read #"))
        self.assertFalse(rights.may_retain("home/lamp"))

    def test_system(self) -> None:
        """The figures of the server are for those whose rule begins with C{$SYS}."""
        access = parsed("user dashboard", "topic read $SYS/#")
        self.assertEqual(self.heard(access), ["$SYS/broker/uptime"])
        self.assertEqual(self.said(access), [])
        for wild in "topic #", "topic read +/#", "topic read +/broker/uptime":
            self.assertNotIn("$SYS/broker/uptime", self.heard(parsed("user dashboard", wild)))

    def test_denied(self) -> None:
        """What is denied is denied, whether the line stands above, below or in a pattern."""
        allow, deny = "topic home/#", "topic deny home/alarm/#"
        for lines in ([allow, deny], [deny, allow], [allow, "pattern deny home/alarm/+"]):
            access = parsed("user dashboard", *lines)
            self.assertEqual(self.heard(access), ["home/lamp"], lines)
            self.assertEqual(self.said(access), ["home/lamp"], lines)
            self.assertFalse(self.rights(access).may_retain("home/alarm/code"), lines)

    def test_subscribe(self) -> None:
        """A filter is granted if there can be anything to hear, and nothing is denied of all."""
        rights = self.rights(
            parsed(
                "user dashboard",
                "topic read home/#",
                "topic write log/#",
                "topic read $SYS/broker/#",
                "topic deny home/alarm/#",
            )
        )
        for topic_filter, expected in (
            ("#", True),
            ("+/lamp", True),
            ("home/lamp", True),
            ("home", True),
            ("home/+/code", True),
            ("home/alarm/code", False),
            ("home/alarm/#", False),
            ("log/#", False),
            ("iot/#", False),
            ("$SYS/#", True),
            ("$SYS/load", False),
            ("$share/all/home/#", False),
        ):
            self.assertIs(rights.may_subscribe(topic_filter), expected, topic_filter)
