"""XML reports become readings."""

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import reports
from bumper_tw.readings import (
    Activity,
    Battery,
    Charge,
    Clean,
    DeviceInfo,
    Errors,
    FanSpeed,
    Firmware,
    LifeSpan,
    MapData,
    Network,
    Notice,
    Part,
    Point,
    Position,
    Reading,
    Sleep,
    Stats,
    Totals,
    Water,
)
from bumper_tw.values import PayloadKind

#: Name, payload, and what it says (mqtt.md 8.2 and 8.3).
SAID: list[tuple[str, str, list[Reading]]] = [
    ("BatteryInfo", "<ctl ts='1' td='BatteryInfo'><battery power='064'/></ctl>", [Battery(64)]),
    ("GetBatteryInfo", "<ctl ret='ok'><battery power='100'/></ctl>", [Battery(100)]),
    ("BatteryInfo", "<ctl><battery power=''/></ctl>", []),
    ("BatteryInfo", "<ctl/>", []),
    (
        "ChargeState",
        "<ctl td='ChargeState'><charge type='SlotCharging' h='' g='0'/></ctl>",
        [Charge(charging=True, mode="SlotCharging")],
    ),
    (
        "GetChargeState",
        "<ctl ret='ok'><charge type='Idle'/></ctl>",
        [Charge(charging=False, mode="Idle")],
    ),
    (
        "ChargeState",
        "<ctl><charge type='Going' h='0' r='a'/></ctl>",
        [Charge(charging=False, mode="Going"), Clean(Activity.RETURNING, "Going")],
    ),
    (
        "ChargeState",
        "<ctl><charge type='Solar'/></ctl>",
        [Notice("ChargeState", {"children": [{"element": "charge", "type": "Solar"}]})],
    ),
    (
        "CleanReport",
        "<ctl><clean type='auto' speed='standard' st='s' rsn='a' a='' l='' sts=''/></ctl>",
        [Clean(Activity.CLEANING, "s", "auto", trigger="a"), FanSpeed("standard")],
    ),
    (
        "CleanReport",
        "<ctl><clean type='auto' st='r'/></ctl>",
        [Clean(Activity.CLEANING, "r", "auto")],
    ),
    (
        "CleanReport",
        "<ctl><clean type='spot' st='p'/></ctl>",
        [Clean(Activity.PAUSED, "p", "spot")],
    ),
    (
        "GetCleanState",
        "<ctl ret='ok'><clean type='auto' speed='strong' st='h' t='' a='' s='' tr=''/></ctl>",
        [Clean(Activity.IDLE, "h", "auto"), FanSpeed("strong")],
    ),
    ("CleanReport", "<ctl><clean type='auto' st='z'/></ctl>", [Clean(None, "z", "auto")]),
    ("CleanReport", "<ctl><clean type='stop'/></ctl>", [Clean(Activity.IDLE, "stop", "stop")]),
    ("CleanReport", "<ctl><clean type='auto'/></ctl>", [Clean(Activity.CLEANING, "auto", "auto")]),
    ("CleanReport", "<ctl/>", []),
    (
        "CleanReportServer",
        "<ctl act='h' type='auto' sts='1767225600' cs='91' area='14' last='1260' mapCount='3'/>",
        [Stats("91", 1767225600, 14, 1260, "auto", stopped=True, extras=(("mapCount", 3),))],
    ),
    ("CleanReportServer", "<ctl act='h' type='auto' cs='91' area='14' last='1260'/>", []),
    ("CleanReportServer", "<ctl act='h' sts='1767225600' area='14' last='1260'/>", []),
    ("CleanReportServer", "<ctl act='s' type='auto' cs='91'/>", []),
    (
        "CleanReportServer",
        "<ctl act='s' type='auto' cs='91' sts='1767225600000'/>",
        [Stats("91", 1767225600, type="auto")],
    ),
    (
        "CleanSt",
        "<ctl td='CleanSt' a='7' s='1767225600' l='480' t='' type='auto'/>",
        [Stats("", 1767225600, 7, 480, "auto")],
    ),
    ("CleanSt", "<ctl a='7' cs='91' s='1767225600' l='9'/>", [Stats("91", 1767225600, 7, 9)]),
    ("CleanSt", "<ctl a='7' s='' l='480'/>", []),
    ("CleanSt", "<ctl a='7' cs='111' s='1767225600' l='480'/>", []),
    ("GetCleanSum", "<ctl ret='ok' a='31' l='2100' c='8'/>", [Totals(31, 2100, 8)]),
    ("SleepStatus", "<ctl st='1'/>", [Sleep(asleep=True)]),
    ("GetSleepStatus", "<ctl ret='ok' st='0'/>", [Sleep(asleep=False)]),
    ("errors", "<ctl old='' new='110'/>", [Errors((110,))]),
    ("errors", "<ctl old='110' new=''/>", [Errors(())]),
    ("errors", "<ctl old='110' new='100'/>", [Errors(())]),
    ("errors", "<ctl new='102,104'/>", [Errors((102, 104))]),
    ("errors", "<ctl new='Broken'/>", []),
    ("error", "<ctl td='error' errs='102'/>", [Errors((102,))]),
    ("error", "<ctl td='error' error='BatteryLow' errno='101'/>", [Errors((101,))]),
    ("error", "<ctl td='error'/>", []),
    ("GetError", "<ctl ret='ok' errs=''/>", [Errors(())]),
    ("DustCaseST", "<ctl ts='1' td='DustCaseST' st='0'/>", [Notice("DustCaseST", {"st": "0"})]),
    ("GetDeviceInfo", "<ctl ret='ok' sn='E1'/>", [DeviceInfo({"sn": "E1"})]),
    ("DeviceInfo", "<ctl td='DeviceInfo' ver='1'/>", [DeviceInfo({"ver": "1"})]),
    ("GetDeviceInfo", "<ctl ret='ok'/>", []),
    ("WaterBoxInfo", "<ctl on='1'/>", [Water(mounted=True)]),
    ("GetWaterPermeability", "<ctl ret='ok' v='2'/>", [Water(2)]),
    ("Pos", "<ctl t='p' p='12,-6' a='90' valid='1'/>", [Position(Point(12, -6, 90))]),
    ("CleanedPos", "<ctl p='12,-6' valid='0'/>", [Position(Point(12, -6, 0, valid=False))]),
    ("Pos", "<ctl p='12' a='90'/>", []),
    ("GetChargerPos", "<ctl ret='ok' p='0,1' a='2'/>", [Position(None, (Point(0, 1, 2),))]),
    (
        "MapP",
        "<ctl td='MapP' i='7' pid='27' p='XQ=='/>",
        [MapData("MapP", {"i": "7", "pid": "27", "p": "XQ=="})],
    ),
    (
        "trace",
        "<ctl td='trace' tf='16' tr='XQ=='/>",
        [MapData("trace", {"tf": "16", "tr": "XQ=="})],
    ),
    ("MapSt", "<ctl td='MapSt' st='built'/>", [Notice("MapSt", {"st": "built"})]),
    (
        "GetLifeSpan",
        "<ctl ret='ok' type='Brush' left='22' total='300'/>",
        [LifeSpan((Part("Brush", 22, 300),))],
    ),
    ("GetLifeSpan", "<ctl ret='ok' type='Brush ' left='22'/>", [LifeSpan((Part("Brush", 22),))]),
    (
        "LifeSpan",
        "<ctl type='Brush' val='095' total='365'/>",
        [LifeSpan((Part("Brush", 95, 365),))],
    ),
    (
        "GetLifeSpan",
        "<ctl ret='ok' type='Brush' val='95'/>",
        [LifeSpan((Part("Brush", 95, 100),))],
    ),
    ("GetLifeSpan", "<ctl ret='ok' type='Brush'/>", []),
    ("GetCleanSpeed", "<ctl ret='ok' speed='strong'/>", [FanSpeed("strong")]),
    ("GetNetInfo", "<ctl ret='ok' wi='192.0.2.9' s='a&b<c'/>", [Network("192.0.2.9", "a&b<c")]),
    ("GetNetInfo", "<ctl ret='ok'/>", []),
    ("GetVersion", "<ctl ret='ok'><ver name='FW'>1.4.2</ver></ctl>", [Firmware("1.4.2")]),
    ("version", "<ctl td='version'><ver name='HW'>7</ver></ctl>", []),
    ("Clean", "<ctl ret='ok'/>", []),
    ("Charge", "<ctl ret='fail' errno='8'/>", []),
    ("GetBatteryInfo", "<ctl ret='fail'><battery power='7'/></ctl>", []),
    (
        "GetSched",
        "<ctl ret='ok'><s n='1'/></ctl>",
        [Notice("GetSched", {"children": [{"element": "s", "n": "1"}]})],
    ),
    ("", "<ctl td='BatteryInfo'><battery power='7'/></ctl>", [Battery(7)]),
]


#: Over XMPP: events say what they are about, answers only show it (xmpp.md 13).
SAID_OVER_XMPP: list[tuple[str, list[Reading]]] = [
    ("<ctl td='BatteryInfo'><battery power='087'/></ctl>", [Battery(87)]),
    ("<ctl id='18273645' ret='ok'><battery power='087'/></ctl>", [Battery(87)]),
    (
        "<ctl td='CleanReport'><clean type='auto' speed='standard' st='s' t='480' a='7'/></ctl>",
        [Clean(Activity.CLEANING, "s", "auto"), FanSpeed("standard")],
    ),
    (
        "<ctl id='1' ret='ok'><clean type='auto' st='s' t='480' a='7' s='1767225600'/></ctl>",
        [
            Clean(Activity.CLEANING, "s", "auto"),
            Stats("", 1767225600, 7, 480, "auto"),
        ],
    ),
    (
        "<ctl td='CleanReport'><clean type='spot' st='h' a='2' l='60' sts='1767225600'/></ctl>",
        [
            Clean(Activity.IDLE, "h", "spot"),
            Stats("", 1767225600, 2, 60, "spot", stopped=True),
        ],
    ),
    (
        "<ctl td='ChargeState'><charge type='Going' h='0' r='a'/></ctl>",
        [Charge(charging=False, mode="Going"), Clean(Activity.RETURNING, "Going")],
    ),
    (
        "<ctl id='1' ret='ok'><charge type='WireCharging' g='0'/></ctl>",
        [Charge(charging=True, mode="WireCharging")],
    ),
    ("<ctl td='error' errs='102'/>", [Errors((102,))]),
    ("<ctl td='error' errs='100'/>", [Errors(())]),
    ("<ctl td='error' error='BatteryLow' errno='101'/>", [Errors((101,))]),
    ("<ctl td='error' error='WheelAbnormal' errno='103'/>", [Errors((103,))]),
    ("<ctl id='1' ret='ok' errs='100'/>", [Errors(())]),
    ("<ctl ret='ok' errs='102,104'/>", [Errors((102, 104))]),
    (
        "<ctl td='LifeSpan' type='Brush' val='095' total='365'/>",
        [LifeSpan((Part("Brush", 95, 365),))],
    ),
    (
        "<ctl id='1' ret='ok' type='SideBrush' left='22' total='300'/>",
        [LifeSpan((Part("SideBrush", 22, 300),))],
    ),
    ("<ctl id='1' ret='ok' type='Brush' val='95'/>", [LifeSpan((Part("Brush", 95, 100),))]),
    ("<ctl td='version'><ver name='FW'>0.16.1</ver></ctl>", [Firmware("0.16.1")]),
    ("<ctl id='1' ret='ok'><ver name='FW'>0.16.1</ver></ctl>", [Firmware("0.16.1")]),
    ("<ctl id='1' ret='ok' a='31' l='2100' c='8'/>", [Totals(31, 2100, 8)]),
    ("<ctl id='1' ret='ok' t='p' p='12,-6' a='90' valid='1'/>", [Position(Point(12, -6, 90))]),
    ("<ctl id='1' ret='ok' wi='192.0.2.9' s='home'/>", [Network("192.0.2.9", "home")]),
    ("<ctl id='1' ret='ok' speed='strong'/>", [FanSpeed("strong")]),
    ("<ctl id='1' ret='ok' v='2'/>", [Water(2)]),
    ("<ctl td='CleanSt' a='7' s='1767225600' l='480' t=''/>", [Stats("", 1767225600, 7, 480)]),
    (
        "<ctl td='CleanReportServer' act='h' sts='1767225600' cs='9' area='14' last='1260'/>",
        [Stats("9", 1767225600, 14, 1260, stopped=True)],
    ),
    (
        "<ctl td='Log'><l t='1'/></ctl>",
        [Notice("Log", {"children": [{"element": "l", "t": "1"}]})],
    ),
    ("<ctl td='Sched2'/>", [Notice("Sched2", {})]),
    ("<ctl id='1' ret='ok'/>", []),
    ("<ctl id='1' ret='ok' on='1'/>", []),
    ("<ctl id='1' ret='ok'><s n='1'/></ctl>", []),
    ("<ctl id='1' ret='fail' errno='103' error='permission denied, please contact a@b'/>", []),
    ("<ctl id='1' errno='103' admin='a@b'/>", []),
    ("<ctl id='1' ret='fail' errno='5'/>", []),
]


class TableTests(SynchronousTestCase):
    """One sample per subject and per oddity."""

    def test_samples(self) -> None:
        """Each payload says what the table says."""
        for name, payload, expected in SAID:
            found = reports.decode(name, payload.encode(), PayloadKind.XML, 0.0)
            self.assertEqual(found, expected, (name, payload))

    def test_the_other_quotes(self) -> None:
        """Quotes and a declaration make no difference."""
        for name, payload, expected in SAID:
            other = '<?xml version="1.0"?>' + payload.replace("'", '"')
            found = reports.decode(name, other.encode(), PayloadKind.XML, 0.0)
            self.assertEqual(found, expected, (name, payload))

    def test_xmpp(self) -> None:
        """The same robots over XMPP, where nobody tells the name of the question."""
        for payload, expected in SAID_OVER_XMPP:
            found = reports.decode("", payload.encode(), PayloadKind.XML, 0.0)
            self.assertEqual(found, expected, payload)
