"""MQTT.js in a household."""

from tests.interop import household_checks as checks

SCRIPT = "mqttjs_session.js"


class MqttjsDeliveryTests(checks.DeliveryChecks):
    """Messages, over TCP."""

    script = SCRIPT


class MqttjsTlsTests(checks.TransportChecks):
    """Messages, over TLS with our certificate verified."""

    script, tls = SCRIPT, True


class MqttjsSessionTests(checks.SessionChecks):
    """Sessions."""

    script, versions = SCRIPT, (3, 4, 5)


class MqttjsNamelessTests(checks.NamelessChecks):
    """Clients without an id."""

    script = SCRIPT


class MqttjsRestartTests(checks.RestartChecks):
    """Sessions, and a server that starts again."""

    script = SCRIPT


class MqttjsFiguresTests(checks.FiguresChecks):
    """C{$SYS}."""

    script = SCRIPT
