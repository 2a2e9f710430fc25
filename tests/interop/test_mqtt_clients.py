"""paho-mqtt and amqtt, two implementations of MQTT that know nothing of ours."""

from tests.interop import mqtt_checks
from tests.interop.mqtt_checks import AMQTT, LEVEL, PAHO, own, robot_login


class PahoVersionTests(mqtt_checks.ClientCase):
    """Versions of MQTT, of which paho-mqtt knows three."""

    script, tls = PAHO, False

    def test_five(self) -> None:
        """One that we do not speak is refused at once, in words that it understands."""
        login = robot_login(self.robot, level=5)
        self.assertEqual(self.talk.refused("robot", login), LEVEL)

    def test_three(self) -> None:
        """MQTT 3.1 is spoken as well."""
        robot = self.talk.client("robot", robot_login(self.robot, level=3))
        self.assertEqual(robot.subscribe(f"iot/cfg/{own(self.robot)}/+/+", "#"), [0, 0x80])


class PahoRobotTests(mqtt_checks.RobotChecks):
    """paho-mqtt as a robot, over TCP."""

    script, tls = PAHO, False


class PahoRobotTlsTests(mqtt_checks.RobotChecks):
    """The same over TLS."""

    script, tls = PAHO, True


class PahoUserTests(mqtt_checks.UserChecks):
    """paho-mqtt as a user, over TCP."""

    script, tls = PAHO, False


class PahoUserTlsTests(mqtt_checks.UserChecks):
    """The same over TLS."""

    script, tls = PAHO, True


class PahoServiceTests(mqtt_checks.ServiceChecks):
    """paho-mqtt as a script, over TCP."""

    script, tls = PAHO, False


class PahoServiceTlsTests(mqtt_checks.ServiceChecks):
    """The same over TLS."""

    script, tls = PAHO, True


class AmqttRobotTests(mqtt_checks.RobotChecks):
    """amqtt as a robot, over TCP."""

    script, tls = AMQTT, False


class AmqttRobotTlsTests(mqtt_checks.RobotChecks):
    """The same over TLS."""

    script, tls = AMQTT, True


class AmqttUserTests(mqtt_checks.UserChecks):
    """amqtt as a user, over TCP."""

    script, tls = AMQTT, False


class AmqttUserTlsTests(mqtt_checks.UserChecks):
    """The same over TLS."""

    script, tls = AMQTT, True


class AmqttServiceTests(mqtt_checks.ServiceChecks):
    """amqtt as a script, over TCP."""

    script, tls = AMQTT, False


class AmqttServiceTlsTests(mqtt_checks.ServiceChecks):
    """The same over TLS."""

    script, tls = AMQTT, True
