"""What a browser is called: a few words for a list, of what it says of itself."""

from bumper_tw.front.contact import clean

#: What stands in what browsers say (User-Agent), and what people call that; the first one counts.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "Chromebook"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)

#: As long may such a name be.
LONGEST = 60

#: As much of what is said is looked at.
HEARD = 500


def browser_name(said: str) -> str:
    """
    What a browser is called.

    @param said: its C{User-Agent}, which may be anything.
    """
    heard = said[:HEARD]
    browser = next((name for part, name in BROWSERS if part in heard), "")
    system = next((name for part, name in SYSTEMS if part in heard), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or clean(heard, LONGEST).strip() or "a browser that does not say what it is"
