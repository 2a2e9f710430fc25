"""Tests for L{bumper_tw.dialect.controls}."""

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import controls, markup
from bumper_tw.dialect.stanzas import UNFIT
from bumper_tw.errors import BadRequest
from bumper_tw.readings import Alert
from bumper_tw.wire.xmpp_jid import Jid

#: Who tells of itself.
ROBOT = Jid("SN", "CLS.ecorobot.net", "atom")


def stanza(ctl: str, around: str = "<query xmlns='com:ctl'>%s</query>") -> bytes:
    """A robot's stanza."""
    inside = around % ctl
    return f"<iq to='a@ecouser.net/r' type='set' id='2700'>{inside}</iq>".encode()


class ReadTests(SynchronousTestCase):
    """What robots say."""

    def test_event(self) -> None:
        """An event has a name and no id."""
        said = controls.read(stanza("<ctl td='BatteryInfo'><battery power='087'/></ctl>"))
        self.assertEqual((said.td, said.id, said.ret), ("BatteryInfo", "", ""))
        battery = said.element.child("battery")
        self.assertEqual(battery.attributes if battery else None, {"power": "087"})

    def test_answer(self) -> None:
        """An answer has an id, and says how it went."""
        said = controls.read(stanza("<ctl id='18273645' ret='ok'><battery power='087'/></ctl>"))
        self.assertEqual((said.td, said.id, said.ret), ("", "18273645", "ok"))

    def test_refusal(self) -> None:
        """A refusal says why, and whom to ask (xmpp.md 12)."""
        said = controls.read(
            stanza("<ctl id='7' ret='fail' errno='103' error='permission denied' admin='a@b'/>")
        )
        self.assertEqual(
            (said.errno, said.error, said.admin), (controls.DENIED, "permission denied", "a@b")
        )

    def test_other_spellings(self) -> None:
        """Quotes, blanks, prefixes, namespaces and neighbours make no difference."""
        for around in (
            '<query xmlns="com:ctl">%s</query>',
            "<query>%s</query>",
            "<query xmlns='com:ctl'> %s </query >",
            "<c:query xmlns:c='com:ctl'>%s</c:query>",
            "<query xmlns='com:ctl'><other/>%s</query>",
            "<query xmlns='com:ctl'><other><ctl td='not this'/></other>%s</query>",
            "<query xmlns='com:ctl'>%s<ctl td='nor this'/></query>",
        ):
            for ctl in (
                "<ctl td='X'/>",
                '<ctl\ttd = "X"></ctl>',
                "<ctl td='X'>\n<a b='c'/></ctl>",
            ):
                self.assertEqual(controls.read(stanza(ctl, around)).td, "X", around)

    def test_nothing(self) -> None:
        """Stanzas without such an element, and what is none."""
        for raw in (
            b"",
            b"<iq/>",
            b"<iq><query xmlns='com:ctl'/></iq>",
            b"<iq><query><ctls td='X'/></query></iq>",
            b"<iq><query><a><ctl td='X'/></a></query></iq>",
            b"<iq><ctl td='X'/></iq>",
            b"<iq><query><ctl td='X'></query></iq>",
            b"</query><ctl",
            b"\xff\xfe",
        ):
            self.assertRaises(ValueError, controls.read, raw)

    @given(st.binary(max_size=80) | st.text("<>/='\" ctlquery&;#", max_size=80).map(str.encode))
    def test_garbage(self, raw: bytes) -> None:
        """Whatever comes is read or is a ValueError."""
        try:
            self.assertEqual(controls.read(raw).element.name, "ctl")
        except ValueError:
            return

    def test_percent(self) -> None:
        """What the oldest line calls a total counts for nothing (mqtt.md 8.3)."""
        said = controls.read(stanza("<ctl td='LifeSpan' type='Brush' val='095' total='365'/>"))
        kept = controls.read_as("126", said.element).attributes
        self.assertEqual(kept, {"td": "LifeSpan", "type": "Brush", "val": "095"})
        self.assertIs(controls.read_as("115", said.element), said.element)
        other = controls.read(stanza("<ctl td='LifeSpan' left='1' total='365'/>")).element
        self.assertIs(controls.read_as("126", other), other)


class AlertTests(SynchronousTestCase):
    """C{com:sf} (xmpp.md 11)."""

    def test_alert(self) -> None:
        """Key, value and time; the vendor's spelling stays."""
        raw = (
            b"<iq to='rl.ecorobot.net' type='set' id='1234'><query xmlns='com:sf'><sf td='pub' "
            b"t='log' ts='1767225600000' tp='p' k='DeviceAlert' v='DorpError' "
            b"f='SN@CLS.ecorobot.net' g='UID@ecouser.net'/></query></iq>"
        )
        expected = Alert("DeviceAlert", "DorpError", "UID@ecouser.net", 1767225600)
        self.assertEqual(controls.alert(raw), expected)
        said = raw.replace(b"SN@CLS.ecorobot.net", b"")
        self.assertEqual(controls.alert(said), expected)

    def test_sparse(self) -> None:
        """Its name is enough; what is longer than any is cut."""
        for more, expected in (
            ("", Alert("a")),
            (f" v='{'x' * 999}' ts='soon'", Alert("a", "x" * 200)),
        ):
            raw = f"<iq><query xmlns='com:sf'><sf k='a'{more}/></query></iq>".encode()
            self.assertEqual(controls.alert(raw), expected)

    def test_none(self) -> None:
        """What is no alert."""
        for inside in ("", "<ctl k='a'/>", "<sf v='b'/>"):
            raw = f"<iq><query xmlns='com:sf'>{inside}</query></iq>".encode()
            self.assertRaises(ValueError, controls.alert, raw)


class ConditionTests(SynchronousTestCase):
    """Stanzas of type C{error} (RFC 6120, 8.3)."""

    def test_conditions(self) -> None:
        """The defined condition in words; else what there is."""
        space = "urn:ietf:params:xml:ns:xmpp-stanzas"
        for inside, words in (
            (f"<feature-not-implemented xmlns='{space}'/>", "feature not implemented"),
            (f"<text xmlns='{space}'>no</text><forbidden/>", "forbidden"),
            ("<text>not now</text>", "not now"),
            ("", "code 501"),
        ):
            raw = f"<iq type='error'><query/><error code='501'>{inside}</error></iq>"
            self.assertEqual(controls.condition(raw.encode()), words)

    def test_unexplained(self) -> None:
        """Many say nothing, or nothing that can be read."""
        for raw in (b"<iq type='error'/>", b"<iq><error/></iq>", b"<iq>", b"<iq><!--a--></iq>"):
            self.assertEqual(controls.condition(raw), "no reason given")


#: What clients write, and what the robot gets for the command C{Clean} with the id 12345678.
WRITTEN = [
    ("<ctl/>", "<ctl td='Clean' id='12345678'/>"),
    ("<ctl td='Other' id='1'/>", "<ctl td='Clean' id='12345678'/>"),
    (
        '<?xml version="1.0"?>\n<ctl>\n  <clean type="auto" act="s"/>\n</ctl>\n',
        "<ctl td='Clean' id='12345678'><clean type='auto' act='s'/></ctl>",
    ),
    (
        "<ctl jid='a@b'><acs><ac name='x' allow='1'/></acs></ctl>",
        "<ctl td='Clean' id='12345678' jid='a@b'><acs><ac name='x' allow='1'/></acs></ctl>",
    ),
    (
        '<ctl a="it\'s" b=\'"\' c="&lt;&amp;&#10;"/>',
        "<ctl td='Clean' id='12345678' a='it&apos;s' b='\"' c='&lt;&amp;&#10;'/>",
    ),
    ("<ctl><ver name='FW'> 1&lt;2 </ver></ctl>",
     "<ctl td='Clean' id='12345678'><ver name='FW'>1&lt;2</ver></ctl>"),
    ("<ctl xmlns='com:ctl' a='1'/>", "<ctl td='Clean' id='12345678' a='1'/>"),
    ("<ctl a='K\u00fcche'/>", "<ctl td='Clean' id='12345678' a='K\u00fcche'/>"),
]  # fmt: skip


class RequestTests(SynchronousTestCase):
    """What robots hear."""

    def test_written(self) -> None:
        """Single quotes, no white space, name and id of ours, everything else kept."""
        for body, expected in WRITTEN:
            written = controls.request("Clean", body.encode(), "12345678")
            self.assertEqual(written.decode(), expected)

    def test_refused(self) -> None:
        """What is no C{ctl} element."""
        for body in (b"", b"{}", b"<clean/>", b"<ctl", b"<ctl/><ctl/>", b"<!DOCTYPE a><ctl/>"):
            self.assertRaises(BadRequest, controls.request, "Clean", body, "1")

    @given(st.text(), st.text())
    def test_escaped(self, value: str, words: str) -> None:
        """Whatever a value is, one element with just this value comes out."""
        element = markup.Element("ctl", {"a": value}, [markup.Element("b", text=words)])
        found = ET.fromstring("".join(controls.pieces(element)))
        kept = UNFIT.sub("\ufffd", value)
        self.assertEqual(found.attrib, {"a": kept})
        self.assertEqual([child.tag for child in found], ["b"])


class ReplyTests(SynchronousTestCase):
    """What REST clients of XML robots get."""

    def test_replies(self) -> None:
        """No id, no name, and how it went in front."""
        for said, expected in (
            ("<ctl id='1' ret='ok'/>", "<ctl ret='ok'/>"),
            (
                "<ctl id='1' ret='ok'><battery power='087'/></ctl>",
                "<ctl ret='ok'><battery power='087'/></ctl>",
            ),
            ('<ctl td="LifeSpan" id="1" val="9"/>', "<ctl ret='ok' val='9'/>"),
            ("<ctl id='1' errno='8' ret='fail'/>", "<ctl ret='fail' errno='8'/>"),
            ("<ctl id='1' errno='5'/>", "<ctl ret='fail' errno='5'/>"),
        ):
            reply = controls.reply_body(controls.read(stanza(said)))
            self.assertEqual(reply.decode(), expected)
