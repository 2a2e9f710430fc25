"""Alerts of robots are kept (xmpp.md 11), and what else no decoder knows takes nothing away."""

from bumper_tw.interfaces import ITelemetryStore
from bumper_tw.readings import Alert, DeviceInfo, Notice, Report, from_values, to_values
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.memory import MemoryTelemetryStore
from bumper_tw.storage.telemetry import ReportWriter, TelemetryStore
from tests.core.xmpp_parties import DEEBOT, OTHER, ROBOT, UID
from tests.xmpp.test_gateway import GatewayCase

BARE = ROBOT.removesuffix("/atom")
USER = f"{UID}@ecouser.net"

#: What the robot of xmpp.md 11 means.
FAULT = Alert("DeviceAlert", "DorpError", USER, 1767225600)


class AlertTests(GatewayCase):
    """From the robot to the disk."""

    def alert(self, value: str = "DorpError", about: str = BARE, stamp: int = 1767225600) -> None:
        """The robot tells the service for relations."""
        self.robot.say(
            "<iq to='rl.ecorobot.net' type='set' id='1234'><query xmlns='com:sf'>"
            f"<sf td='pub' t='log' ts='{stamp}000' tp='p' k='DeviceAlert' v='{value}'"
            f" f='{about}' g='{USER}'/></query></iq>"
        )

    def latest(self) -> dict[str, object]:
        """What is known of the robot, by kind."""
        return {each.kind: each.reading for each in self.telemetry.latest(DEEBOT.did)}

    def test_stays(self) -> None:
        """No other report replaces it, however strange."""
        self.alert()
        self.say("<ctl td='DustCaseST' st='0'/>")
        self.say("<ctl td='DeviceInfo' ver='1'/>")
        self.say("<ctl td='Sched2'/>")
        self.assertEqual(
            self.latest(),
            {
                "alert": FAULT,
                "device_info": DeviceInfo({"ver": "1"}),
                "notice": Notice("Sched2", {}),
            },
        )

    def test_kept(self) -> None:
        """Each of them is in the history, and the last is known after a restart."""
        stores: tuple[ITelemetryStore, ...] = (
            MemoryTelemetryStore(),
            TelemetryStore(InlineDatabase()),
        )
        for store in stores:
            writer = ReportWriter(self.clock, store)
            undo = self.telemetry.listen(writer.add)
            first = int(self.clock.seconds())
            for stamp in range(3):
                self.alert(stamp=1767225600 + stamp)
            self.successResultOf(writer.flush())
            undo()
            kept = self.successResultOf(store.history(DEEBOT.did, "alert", first, 9))
            stamps = [each.reading.raised_at for each in kept if isinstance(each.reading, Alert)]
            self.assertEqual(stamps, [1767225602, 1767225601, 1767225600])
            [newest] = self.successResultOf(store.latest())
            self.assertEqual(newest, kept[0])
            self.clock.advance(1)

    def test_values(self) -> None:
        """As values it keeps out of the way of when it came and what kind it is."""
        values = to_values(FAULT)
        self.assertEqual(from_values("alert", values), FAULT)
        self.assertEqual({"at", "age", "kind"} & values.keys(), set())
        self.assertTrue(Report("a", FAULT, 1.0).reading.kept)

    def test_about(self) -> None:
        """Whose it is tells the stream, whatever the robot calls itself (xmpp.md 11)."""
        for number, about in enumerate((BARE.lower(), ROBOT, OTHER.removesuffix("/atom"), "@")):
            self.alert(about=about, stamp=number + 1)
        self.assertEqual(len(self.readings()), 4)
        self.assertEqual(
            {report.did for report in self.telemetry.latest(DEEBOT.did)}, {DEEBOT.did}
        )
