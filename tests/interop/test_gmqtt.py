"""gmqtt in a household."""

from tests.interop import household_checks as checks

SCRIPT = "gmqtt_session.py"


class GmqttDeliveryTests(checks.DeliveryChecks):
    """Messages, over TCP."""

    script = SCRIPT


class GmqttTlsTests(checks.TransportChecks):
    """Messages, over TLS with our certificate verified."""

    script, tls = SCRIPT, True


class GmqttSessionTests(checks.SessionChecks):
    """Sessions."""

    script, versions = SCRIPT, (4, 5)


class GmqttRestartTests(checks.RestartChecks):
    """Sessions, and a server that starts again."""

    script = SCRIPT


class GmqttFiguresTests(checks.FiguresChecks):
    """C{$SYS}."""

    script = SCRIPT
