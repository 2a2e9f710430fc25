"""Tests for L{bumper_tw.core.mqtt_access}: very many rules, and rules with names in them."""

import sys
from collections.abc import Callable
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from bumper_tw.core.mqtt_access import MOST_RULES, MOST_SEARCHED
from bumper_tw.values import Principal, Role
from tests.core.test_mqtt_access import NOBODY, OTHER, ROBOTS, TOPICS, AccessCase, parsed

U = Principal(Role.SERVICE, "u", resource="u-1")


def steps(asked: Callable[[str], bool], topic: str) -> int:
    """How many calls and returns, of whatever, an answer takes."""
    taken = count()
    before = sys.getprofile()
    sys.setprofile(lambda *_: next(taken) and None)
    try:
        asked(topic)
    finally:
        sys.setprofile(before)
    return next(taken)


class ManyLinesTests(AccessCase):
    """Files with as many lines as there may be."""

    LINES = (
        "topic readwrite room/{}/lamp",
        "topic deny room/{}/lamp/code",
        "topic read +/{}/#",
        "topic write iot/{}/x",
    )

    def setUp(self) -> None:
        numbers = range(MOST_RULES // len(self.LINES))
        lines = [line.format(number) for number in numbers for line in self.LINES]
        self.access = parsed("user dashboard", *lines[:-1], "pattern read people/%u")
        self.written = self.rights(self.access)

    def test_found(self) -> None:
        """Each line counts, the first as well as the last."""
        for number in 0, 1234, 2498:
            lamp = f"room/{number}/lamp"
            self.assertTrue(self.written.may_publish(lamp))
            self.assertTrue(self.written.may_hear(f"any/{number}/x"))
            self.assertFalse(self.written.may_hear(f"{lamp}/code"))
            self.assertFalse(self.written.may_publish(f"{lamp}/code"))
            self.assertTrue(self.written.may_publish(f"iot/{number}/x"))
        self.assertFalse(self.written.may_publish("room/2500/lamp"))
        self.assertFalse(self.written.may_hear("any/2500/x"))

    def test_steps(self) -> None:
        """A question takes as few steps as with a few lines."""
        few = self.rights(parsed("user dashboard", *(line.format(7) for line in self.LINES)))
        for topic in "room/7/lamp", "room/7/lamp/code", "iot/7/x", "a/b/c", "$SYS/a":
            for deed in "may_publish", "may_hear", "may_retain", "may_subscribe":
                taken = [steps(getattr(rights, deed), topic) for rights in (few, self.written)]
                self.assertLess(taken[1], 3 * taken[0] + 50, (deed, topic))

    def test_filters(self) -> None:
        """A filter for which one would have to search for long is granted; the deeds are not."""
        rights = self.rights(parsed("user u", *(f"topic {n}/a/b" for n in range(9999))), U)
        self.assertTrue(rights.may_subscribe("+/a/b"))
        self.assertTrue(rights.may_subscribe("+/a/c"))
        self.assertFalse(rights.may_subscribe("7/a/c"))
        self.assertFalse(rights.may_hear("7/a/c"))
        self.assertLess(steps(rights.may_subscribe, "+/+/c"), 30 * MOST_SEARCHED)

    def test_shared(self) -> None:
        """Clients of an account share what is not their own."""
        other = self.rights(self.access, Principal(Role.SERVICE, "dashboard", resource="panel-2"))
        mine, shared = self.written.sections, other.sections
        self.assertEqual(sum(any(a is b for b in shared) for a in mine), 1)
        self.assertEqual((len(mine), len(shared)), (2, 2))


class PatternTests(AccessCase):
    """Names in patterns."""

    def test_names(self) -> None:
        """The account name and the client id stand where the pattern has them."""
        access = parsed("pattern devices/%c/state", "pattern read people/%u/#")
        self.assertEqual(self.heard(access), ["devices/panel-1/state", "people/dashboard/phone"])
        self.assertEqual(self.said(access), ["devices/panel-1/state"])
        self.assertEqual(self.heard(access, OTHER), [])

    def test_names_that_widen(self) -> None:
        """A name that would be a wildcard or several levels allows nothing (CVE-2017-7650)."""
        access = parsed("pattern devices/%c/#", "pattern people/%u/#")
        for name in "#", "+", "a/#", "panel-1/state", "/", "", "+/+", "pa#nel":
            for who in (
                Principal(Role.SERVICE, name, resource="x"),
                Principal(Role.SERVICE, "x", resource=name),
            ):
                self.assertEqual(self.heard(access, who), [], who)
                self.assertEqual(self.said(access, who), [], who)
                self.assertFalse(self.rights(access, who).may_subscribe("devices/panel-1/#"))

    def test_names_that_slip(self) -> None:
        """A name that cannot stand in a pattern does not escape what the pattern denies."""
        access = parsed("pattern #", "pattern deny devices/%c/state")
        for name in "#", "+", "panel-1/state", "", "x/y":
            who = Principal(Role.SERVICE, "x", resource=name)
            self.assertNotIn("devices/panel-1/state", self.heard(access, who), name)
            self.assertIn("home/lamp", self.heard(access, who), name)
        self.assertIn("devices/panel-1/state", self.heard(access, OTHER))
        self.assertNotIn("devices/panel-1/state", self.heard(access))

    def test_names_that_begin(self) -> None:
        """Nobody gets at robots or at figures by being called like their topics."""
        access = parsed("pattern %c/#", "pattern %u/#")
        for name in "iot", "attr", "rsp", "p2p", "$SYS":
            for who in (
                Principal(Role.SERVICE, name, resource="x"),
                Principal(Role.SERVICE, "x", resource=name),
            ):
                self.assertEqual(self.heard(access, who), [], who)
                self.assertEqual(self.said(access, who), [], who)
        self.assertEqual(
            self.heard(access, Principal(Role.SERVICE, "home", resource="x")),
            ["home/lamp", "home/alarm/code"],
        )

    def test_denied_by_name(self) -> None:
        """What is denied may begin with any name."""
        access = parsed("pattern read $SYS/#", "pattern read iot/#", "pattern deny %u/#")
        self.assertEqual(self.heard(access, Principal(Role.SERVICE, "iot")), [TOPICS[-1]])
        self.assertEqual(self.heard(access, Principal(Role.SERVICE, "$SYS")), [ROBOTS[0]])

    def test_nobody(self) -> None:
        """Who has no account has no name to stand in a pattern, but a client id."""
        access = parsed("pattern people/%u/#", "pattern devices/%c/#")
        rights = self.rights(access, NOBODY)
        self.assertTrue(rights.may_publish("devices/mqttjs_1/state"))
        self.assertFalse(rights.may_publish("people//x"))

    @given(st.text(max_size=6), st.text(max_size=6))
    def test_one_level(self, account: str, client: str) -> None:
        """Whatever the names are, a pattern gives no more than one place of its own."""
        access = parsed("pattern a/%u/b", "pattern a/%c/b")
        rights = self.rights(access, Principal(Role.SERVICE, account, resource=client))
        self.assertFalse(rights.may_hear("a/somebody else/b"))
        self.assertFalse(rights.may_hear("a/b"))
        for name in account, client:
            if not name or set("+#/\0") & set(name):
                self.assertFalse(rights.may_hear(f"a/{name}/b"))
