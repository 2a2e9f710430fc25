"""paho-mqtt in a household."""

from tests.interop import household_checks as checks

SCRIPT = "paho_session.py"


class PahoDeliveryTests(checks.DeliveryChecks):
    """Messages, over TCP."""

    script = SCRIPT


class PahoTlsTests(checks.TransportChecks):
    """Messages, over TLS with our certificate verified."""

    script, tls = SCRIPT, True


class PahoSessionTests(checks.SessionChecks):
    """Sessions."""

    script, versions = SCRIPT, (3, 4, 5)


class PahoNamelessTests(checks.NamelessChecks):
    """Clients without an id."""

    script = SCRIPT


class PahoRestartTests(checks.RestartChecks):
    """Sessions, and a server that starts again."""

    script = SCRIPT


class PahoFiguresTests(checks.FiguresChecks):
    """C{$SYS}."""

    script = SCRIPT
