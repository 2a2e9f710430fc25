"""Tells twistd about C{bumper}; imports nothing of ours, so that listing plug-ins is quick."""

from twisted.application.service import ServiceMaker

bumper = ServiceMaker(
    "bumper",
    "bumper_tw.app.tap",
    "A home for Ecovacs robots: HTTP, MQTT and a command correlator instead of the cloud.",
    "bumper",
)
