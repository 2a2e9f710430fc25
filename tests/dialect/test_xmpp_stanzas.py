"""What the server itself says over XMPP, compared with the lines of the reference."""

from xml.parsers.expat import ParserCreate

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import stanzas
from bumper_tw.dialect.domains import robot_jid, user_jid
from bumper_tw.values import DeviceId

SN = "E0009876500123450001"
ROBOT = robot_jid(DeviceId(SN, "126", "atom"))
SUCKS = user_jid("fuid_a1b2c3", "sk7d1f02")
ANDROID = user_jid("fuid_a1b2c3", "GLBa91f03c2d")
IOS = user_jid("fuid_a1b2c3", "IOSF0A1B2C3")
ADMINISTRATOR = "n5q8w2e7r4t1y6u3@ecouser.net"

#: How a stream begins (xmpp.md 3.1).
HEADER = (
    b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client'"
    b" version='1.0' id='5f0c9a71d2e84b36' from='ecouser.net'>"
)

#: The table of features (xmpp.md 3.1).
FEATURES = {
    b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
    b"<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism>"
    b"</mechanisms></stream:features>": (stanzas.STARTTLS, stanzas.PLAIN),
    b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
    b"</stream:features>": (stanzas.STARTTLS,),
    b"<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
    b"<mechanism>PLAIN</mechanism></mechanisms></stream:features>": (stanzas.PLAIN,),
    b"<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
    b"<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></stream:features>": (
        stanzas.BIND,
        stanzas.SESSION,
    ),
}

#: Before and while somebody logs in (xmpp.md 3.2, 4, 5.1 and 5.2).
LOGGING_IN = {
    b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>": stanzas.PROCEED,
    b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>": stanzas.SUCCESS,
    b"<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>": stanzas.CHALLENGE,
    b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>": (
        stanzas.sasl_failure("not-authorized")
    ),
    b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><encryption-required/></failure>": (
        stanzas.sasl_failure("encryption-required")
    ),
    b"<iq type='result' id='2521'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    b"<jid>E0009876500123450001@126.ecorobot.net/atom</jid></bind></iq>": (
        stanzas.bound("2521", ROBOT)
    ),
    b"<iq type='result' id='5A3E7C10-1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    b"<jid>fuid_a1b2c3@ecouser.net/IOSF0A1B2C3</jid></bind></iq>": (
        stanzas.bound("5A3E7C10-1", IOS)
    ),
    b"<iq type='result' id='2522'/>": stanzas.result("2522"),
}

#: Questions and answers (xmpp.md 5.3, 6, 7 and 11).
TALK = {
    b"<iq from='ecouser.net' to='E0009876500123450001@126.ecorobot.net/atom' id='s2c1' type='get'>"
    b"<ping xmlns='urn:xmpp:ping'/></iq>": stanzas.ping("s2c1", ROBOT),
    b"<iq type='result' id='2542' from='126.ecorobot.net'/>": (
        stanzas.result("2542", "126.ecorobot.net")
    ),
    b"<presence to='fuid_a1b2c3@ecouser.net/IOSF0A1B2C3'> dummy </presence>": (
        stanzas.dummy_presence(IOS)
    ),
    b"<iq type='set' id='14' to='E0009876500123450001@126.ecorobot.net/atom' from='ecouser.net'>"
    b"<query xmlns='com:ctl'><ctl td='GetDeviceInfo'/></query></iq>": (
        stanzas.device_info_request(ROBOT)
    ),
    b"<iq id='EE0XQ-3' to='fuid_a1b2c3@ecouser.net/GLBa91f03c2d' from='rl.ecorobot.net'"
    b" type='result'/>": stanzas.relation_result("EE0XQ-3", "rl.ecorobot.net", ANDROID),
    b"<iq type='result' id='1234' from='rl.ecorobot.net'"
    b" to='E0009876500123450001@126.ecorobot.net/atom'/>": (
        stanzas.result("1234", "rl.ecorobot.net", ROBOT)
    ),
    b"<iq type='set' id='8' from='helperbot@ecouser.net/bumper'"
    b" to='E0009876500123450001@126.ecorobot.net/atom'>"
    b"<query xmlns='com:ctl'><ctl td='GetBatteryInfo' id='18273645'/></query></iq>": (
        stanzas.control(
            "8",
            ROBOT,
            "helperbot@ecouser.net/bumper",
            b"<ctl td='GetBatteryInfo' id='18273645'/>",
        )
    ),
}

#: The three requests of the permission repair (xmpp.md 12).
ADOPTION = (
    (
        b"<iq type='set' id='u1' from='n5q8w2e7r4t1y6u3@ecouser.net'"
        b" to='E0009876500123450001@126.ecorobot.net/atom'><query xmlns='com:ctl'>"
        b"<ctl td='AddUser' id='0000' jid='fuid_a1b2c3@ecouser.net'/></query></iq>"
    ),
    (
        b"<iq type='set' id='u2' from='n5q8w2e7r4t1y6u3@ecouser.net'"
        b" to='E0009876500123450001@126.ecorobot.net/atom'><query xmlns='com:ctl'>"
        b"<ctl td='SetAC' id='1111' jid='fuid_a1b2c3@ecouser.net'><acs>"
        b"<ac name='userman' allow='1'/><ac name='setting' allow='1'/><ac name='clean' allow='1'/>"
        b"</acs></ctl></query></iq>"
    ),
    (
        b"<iq type='set' id='u3' from='n5q8w2e7r4t1y6u3@ecouser.net'"
        b" to='E0009876500123450001@126.ecorobot.net/atom'><query xmlns='com:ctl'>"
        b"<ctl td='GetUserInfo' id='4444'/><UserInfos/></query></iq>"
    ),
)


def refusal(
    kind: bytes, code: bytes, condition: bytes, sender: bytes = b"126.ecorobot.net"
) -> bytes:
    """An error in the order of attributes that xmpp.md 9 shows."""
    return (
        b"<iq type='error' to='fuid_a1b2c3@ecouser.net/sk7d1f02' from='" + sender + b"' id='7'>"
        b"<error type='" + kind + b"' code='" + code + b"'><" + condition + b" xmlns="
        b"'urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )


#: Where xmpp.md 9 and 10 write an error out, so do we.
LITERAL_ERRORS = {
    b"<iq type='error' to='fuid_a1b2c3@ecouser.net/sk7d1f02'"
    b" from='E0009876500123450001@126.ecorobot.net/atom' id='ID'>"
    b"<error type='wait' code='404'><recipient-unavailable"
    b" xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>": (
        stanzas.offline("ID", ROBOT, SUCKS)
    ),
    b"<iq type='error' id='EE0XQ-2'><error type='cancel' code='501'><feature-not-implemented"
    b" xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>": (
        stanzas.not_implemented("EE0XQ-2")
    ),
    b"<iq type='error' from='ecouser.net' id='x'><error type='cancel' code='501'>"
    b"<feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>": (
        stanzas.not_implemented("x", "ecouser.net")
    ),
    b"<iq type='error' id='bind'><error type='cancel' code='405'><not-allowed"
    b" xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>": stanzas.not_allowed("bind"),
    b"<iq type='error' id='bind'><error type='modify' code='400'><bad-request"
    b" xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>": stanzas.bad_request("bind"),
}

#: Errors between two parties (xmpp.md 7, 8.2 and 8.4).
ERRORS = {
    refusal(b"auth", b"403", b"forbidden"): stanzas.forbidden,
    refusal(b"cancel", b"503", b"service-unavailable"): stanzas.service_unavailable,
    refusal(b"cancel", b"404", b"remote-server-not-found"): stanzas.remote_server_not_found,
    refusal(b"wait", b"504", b"remote-server-timeout"): stanzas.remote_server_timeout,
    refusal(b"wait", b"500", b"resource-constraint"): stanzas.resource_constraint,
}

STREAM_CONDITIONS = (
    "conflict",
    "host-unknown",
    "invalid-namespace",
    "not-authorized",
    "not-well-formed",
    "policy-violation",
    "restricted-xml",
    "system-shutdown",
)


def texts(stanza: bytes) -> list[tuple[str, dict[str, str], str]]:
    """Everything inside a stream, read by a parser: names, attributes, texts."""
    found: list[tuple[str, dict[str, str], str]] = []
    parser = ParserCreate()
    parser.StartElementHandler = lambda name, attributes: found.append((name, attributes, ""))
    parser.CharacterDataHandler = lambda text: found.append(("", {}, text))
    parser.buffer_text = True
    parser.Parse(HEADER + stanza + b"</stream:stream>", True)
    return found[1:]


class LiteralTests(SynchronousTestCase):
    """Each byte is as the reference writes it."""

    def equal(self, said: bytes, expected: bytes) -> None:
        """It is that, has no quotes and blanks that disturb, and can be parsed."""
        self.assertEqual(said, expected)
        self.assertNotIn(b'"', said)
        self.assertNotIn(b"> <", said)
        self.assertTrue(texts(said.removesuffix(b"</stream:stream>")))

    def test_header(self) -> None:
        """The beginning of a stream."""
        self.assertEqual(stanzas.header("5f0c9a71d2e84b36"), HEADER)

    def test_features(self) -> None:
        """What can be done next."""
        for expected, offers in FEATURES.items():
            self.equal(stanzas.features(*offers), expected)

    def test_logging_in(self) -> None:
        """What is said until somebody is bound."""
        for expected, said in LOGGING_IN.items():
            self.equal(said, expected)

    def test_talk(self) -> None:
        """What is said to who is."""
        for expected, said in TALK.items():
            self.equal(said, expected)

    def test_adoption(self) -> None:
        """What makes a robot permit another user."""
        said = stanzas.adoption(("u1", "u2", "u3"), ROBOT, ADMINISTRATOR, SUCKS.bare)
        for one, expected in zip(said, ADOPTION, strict=True):
            self.equal(one, expected)

    def test_errors(self) -> None:
        """What cannot be granted, and why."""
        for expected, said in LITERAL_ERRORS.items():
            self.equal(said, expected)
        for expected, error in ERRORS.items():
            self.equal(error("7", "126.ecorobot.net", SUCKS), expected)

    def test_spelling_of_the_request(self) -> None:
        """Who was addressed answers under the spelling that was used (xmpp.md 9)."""
        address = "e0009876500123450001@126.ecorobot.net/atom"
        expected = refusal(b"wait", b"404", b"recipient-unavailable", address.encode())
        self.equal(stanzas.offline("7", address, SUCKS), expected)

    def test_end(self) -> None:
        """A stream ends with its tag, whatever the reason (xmpp.md 3.2, 5.1 and 6.6)."""
        self.assertEqual(stanzas.CLOSE, b"</stream:stream>")
        failure = b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>"
        self.equal(stanzas.TLS_FAILURE, failure)
        for condition in STREAM_CONDITIONS:
            expected = (
                f"<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                "</stream:error></stream:stream>"
            )
            self.equal(stanzas.stream_error(condition), expected.encode())


class ValueTests(SynchronousTestCase):
    """Whatever a client puts into an id, it gets that back, and nothing else."""

    def test_escaped(self) -> None:
        """What means something in XML is written differently."""
        said = stanzas.result('\'/><a b="&amp;">\n\t\r')
        expected = b"<iq type='result' id='&apos;/&gt;&lt;a b=\"&amp;amp;\"&gt;&#10;&#9;&#13;'/>"
        self.assertEqual(said, expected)

    def test_without_id(self) -> None:
        """A request without an id is answered without one."""
        self.assertEqual(stanzas.result(None), b"<iq type='result'/>")

    def test_what_is_no_xml(self) -> None:
        """What no XML can hold is replaced, rather than to end the stream."""
        for letter in "\x00\x0b\x1f\ud800\ufffe":
            self.assertEqual(texts(stanzas.result(letter)), [
                ("iq", {"type": "result", "id": "\ufffd"}, "")
            ])  # fmt: skip

    @given(st.text(st.characters(exclude_categories=("Cc", "Cs"))), st.text("'\"<>&; \t\r\n"))
    def test_any_value(self, left: str, right: str) -> None:
        """A parser reads what was meant, as an attribute and as text."""
        value = (left + right).replace("\ufffe", "").replace("\uffff", "")
        attributes = {"type": "error", "id": value, "from": value, "to": value}
        [iq, *_] = texts(stanzas.offline(value, value, value))
        self.assertEqual(iq, ("iq", attributes, ""))
        resource = user_jid("u", f"x{value}")
        self.assertEqual(texts(stanzas.bound("1", resource))[-1], ("", {}, str(resource)))

    def test_letters_of_the_world(self) -> None:
        """A robot may be called anything; bytes are UTF-8."""
        ctl = "<ctl td='RenameM' name='K\u00fcche \U0001f9f9'/>"
        said = stanzas.control("1", ROBOT, "ecouser.net", ctl.encode())
        self.assertIn(ctl.encode(), said)
        self.assertEqual(texts(said)[-1][1]["name"], "K\u00fcche \U0001f9f9")
