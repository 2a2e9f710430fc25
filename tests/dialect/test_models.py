"""The catalogue of robot classes."""

import csv

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import models
from bumper_tw.values import Company, PayloadKind


class ModelTests(SynchronousTestCase):
    """What is known of each class."""

    def test_literal(self) -> None:
        """One class in full, as the app's device object shows it (http-devices.md 1)."""
        ozmo = models.model("yna5xi")
        assert ozmo is not None
        self.assertEqual(ozmo.name, "DEEBOT OZMO 950 Series")
        self.assertEqual((ozmo.model, ozmo.ui_logic_id), ("DX9G", "DX_9G"))
        self.assertEqual(ozmo.material_no, "110-1820-0101")
        self.assertEqual(ozmo.product_id, "5c19a91ca1e6ee000178224a")
        self.assertEqual(ozmo.icon_id, "606278df4a84d700082b39f1")
        self.assertEqual((ozmo.category, ozmo.ota), ("DEEBOT", True))
        self.assertEqual((ozmo.company, ozmo.kind), (Company.MQTT, PayloadKind.JSON))

    def test_every_row(self) -> None:
        """Every row of the table is a class of its own, and none is twice."""
        with models.CATALOGUE.open(encoding="utf-8", newline="") as file:
            ids = [row["class_id"] for row in csv.DictReader(file)]
        self.assertEqual([model.class_id for model in models.all_models()], ids)
        self.assertEqual(len(ids), 402)

    def test_payload_kinds(self) -> None:
        """The XML robots of mqtt.md 8 and all of XMPP write XML; JSON is the rule."""
        expected = {
            "dl8fht": PayloadKind.XML,
            "ls1ok3": PayloadKind.XML,
            "126": PayloadKind.XML,
            "999": PayloadKind.XML,
            "yna5xi": PayloadKind.JSON,
            "zzzzzz": PayloadKind.JSON,
            "": PayloadKind.JSON,
        }
        found = {class_id: models.payload_kind(class_id) for class_id in expected}
        self.assertEqual(found, expected)

    def test_companies(self) -> None:
        """Three digits speak XMPP, known or not; everybody else MQTT."""
        for class_id in ("126", "999"):
            self.assertIs(models.company(class_id), Company.XMPP)
        for class_id in ("yna5xi", "zzzzzz", "", "1234", "٣٣٣", "780627"):
            self.assertIs(models.company(class_id), Company.MQTT)

    def test_unknown(self) -> None:
        """An unknown class has no model."""
        self.assertIsNone(models.model("zzzzzz"))

    def test_features(self) -> None:
        """The vendor says yes, no, or nothing."""
        said = {model.supports("share") for model in models.all_models()}
        self.assertEqual(said, {True, False, None})

    def test_scode(self) -> None:
        """The three kinds of pairing differ in what the app offers (http-devices.md 1.2)."""
        self.assertIs(models.scode("MQ_APM")["video"], True)
        self.assertIs(models.scode("HK_AP")["video"], False)
        self.assertIs(models.scode("")["chargestate"], True)
        bluetooth = models.scode("BLAP2")
        self.assertEqual(bluetooth["appArchVer"], "2.0")
        self.assertNotIn("clean", bluetooth)

    def test_read_once(self) -> None:
        """The table is read once."""
        self.assertIs(models.model("yna5xi"), models.model("yna5xi"))
