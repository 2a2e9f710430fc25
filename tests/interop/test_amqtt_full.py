"""amqtt in a household."""

from tests.interop import household_checks as checks

SCRIPT = "amqtt_session.py"


class AmqttDeliveryTests(checks.DeliveryChecks):
    """Messages, over TCP."""

    script = SCRIPT


class AmqttTlsTests(checks.TransportChecks):
    """Messages, over TLS with our certificate verified."""

    script, tls = SCRIPT, True


class AmqttSessionTests(checks.SessionChecks):
    """Sessions."""

    script = SCRIPT


class AmqttNamelessTests(checks.NamelessChecks):
    """Clients without an id."""

    script = SCRIPT


class AmqttRestartTests(checks.RestartChecks):
    """Sessions, and a server that starts again."""

    script = SCRIPT


class AmqttFiguresTests(checks.FiguresChecks):
    """C{$SYS}."""

    script = SCRIPT
