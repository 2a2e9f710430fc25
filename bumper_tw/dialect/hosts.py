"""
Host names of the vendor that robots, apps and other clients ask for.

They are for checks: whether DNS leads all of them here, whether a certificate speaks for them.
Nothing is refused for not being among them; DNS and certificates serve whole zones.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import product
from string import Formatter
from types import MappingProxyType

#: What stands for each part of a name that differs.  C{country}: some of those seen in names,
#: in lower case, Britain being C{uk} (http-auth.md 4); C{residence}: those seen where robots of
#: the X and T generation are sent (users.md 5.1, http.md 1.2).  C{continent}: of clients' own
#: tables.  C{centre}: data centres seen below C{ww} (http.md 1.2).  C{robots}: where the newest
#: robots are (users.md 5.2).
PLACES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "country": ("de", "uk", "us"),
        "residence": ("au", "de", "jp", "us", "as", "eu", "na"),
        "continent": ("as", "eu", "na", "ww"),
        "centre": ("as", "eu", "na"),
        "robots": ("eu", "na"),
        "telemetry": ("europe", "international", "northamerica"),
    }
)

#: Every kind of name, and where it is written down.
PATTERNS = (
    # The zones themselves, as addresses in answers are flattened to them (http.md 1.2).
    "ecouser.net",
    "ecovacs.com",
    # Logins: the first app, later ones, and China (http.md 1.2, http-auth.md 4).
    "eco-{country}-api.ecovacs.com",
    "gl-{country}-api.ecovacs.com",
    "gl-{country}-openapi.ecovacs.com",
    "gl-cn-api.ecovacs.cn",
    "gl-cn-openapi.ecovacs.cn",
    "users-{continent}.ecouser.net",
    "ne-{continent}.ecouser.net",
    # The portal; China's has no continent (http.md 1.2).
    "portal.ecouser.net",
    "portal-{continent}.ecouser.net",
    # What the second and third generation of the app asks (http.md 1.2, http-discovery.md 1).
    "api-app.ecouser.net",
    "api-app.ww.ecouser.net",
    "api-app.dc-{centre}.ww.ecouser.net",
    "users-base.ecouser.net",
    "users-base.dc-{centre}.ww.ecouser.net",
    "api-base.ecouser.net",
    "api-base.dc-{centre}.ww.ecouser.net",
    "api-ngiot.ecouser.net",
    "api-ngiot.dc-{centre}.ww.ecouser.net",
    "api-rop.ecouser.net",
    "api-rop.dc-{centre}.ww.ecouser.net",
    "adv-app.ecouser.net",
    "adv-app.dc-{centre}.ww.ecouser.net",
    "codepush-base.ecouser.net",
    "codepush-base.dc-{centre}.ww.ecouser.net",
    "iot-api-nlp.ecouser.net",
    "eis-nlp.ecouser.net",
    # Where is my server?  (http.md 1.2, http-discovery.md 1, robots.md 3)
    "lb.ecouser.net",
    "lbo.ecouser.net",
    "lbo.ecovacs.net",
    "lb-{country}.ecouser.net",
    "lb-{country}.ecovacs.net",
    "lb{country}.ecouser.net",
    # Certificates of the newest robots (http.md 1.2, http-discovery.md 7).
    "ca.robotww.ecouser.net",
    "ca.robotcn.ecouser.net",
    # MQTT (mqtt.md 1.2, http-discovery.md 1).
    "mq.ecouser.net",
    "mq-{continent}.ecouser.net",
    "mq-{country}.ecouser.net",
    "mq-{country}.ecovacs.com",
    "jmq-ngiot-de.ecouser.net",
    "jmq-ngiot-{centre}.ecouser.net",
    "jmq-ngiot-{centre}.dc.ww.ecouser.net",
    "jmq-ngiot-{residence}.area.ww.ecouser.net",
    "jmq-ngiot-{robots}.dc.robotww.ecouser.net",
    # XMPP (xmpp.md 1).
    "msg.ecouser.net",
    "msg-{continent}.ecouser.net",
    # Pictures and pages (http.md 1.2).
    "gl-us-pub.ecovacs.com",
    "site-static.ecovacs.com",
    "gl-{country}-wap.ecovacs.com",
    "club-eu-wap.ecovacs.com",
    "www.ecovacs.com",
    # Telemetry (http.md 1.2, http-discovery.md 1, robots.md 3.2).
    "sa-{centre}-datasink.ecovacs.com",
    "sa-us-datasink.ecovacs.com",
    "bigdata-{telemetry}.ecovacs.com",
    "bigdata-europe.ecouser.net",
    "recommender.ecovacs.com",
    "iotin.ecouser.net",
)


@cache
def known_hosts() -> tuple[str, ...]:
    """
    Names that are asked for, each once, lower case, without a dot at the end, sorted.

    Where a name differs by country, a few countries stand for all.
    """
    return tuple(sorted({name for pattern in PATTERNS for name in _spelled(pattern)}))


def _spelled(pattern: str) -> Iterator[str]:
    kinds = [kind for _, kind, _, _ in Formatter().parse(pattern) if kind]
    for places in product(*_places(kinds)):
        yield pattern.format(**dict(zip(kinds, places, strict=True)))


def _places(kinds: Iterable[str]) -> Iterator[tuple[str, ...]]:
    return (PLACES[kind] for kind in kinds)
