"""
What robots, apps and programs were seen to say, and what they have to hear (xmpp.md 6, 9 to 12).

L{tests.xmpp.transcripts} tells how to read it.
"""

from tests.xmpp.transcripts import opening

#: xmpp.md 6.1: what follows TLS, which most robots do without.
ROBOT = (
    opening("robot", "robot", "<starttls xmlns='..tls'/>")
    + """
        robot > <auth xmlns='..sasl' mechanism='PLAIN'>AEUwMDA5ODc2NTAwMTIzNDUwMDAxAGs3UXAyeFo5
            |</auth>
        robot < [success]
        robot > [robot header]
        robot < [greeting][known]
        robot > <iq type='set' id='2521'><bind xmlns='..bind'><resource>atom</resource></bind></iq>
        robot < <iq type='result' id='2521'><bind xmlns='..bind'><jid>[ROBOT]</jid></bind></iq>
        robot > <iq type='set' id='2522'><session xmlns='..session'/></iq>
        robot < <iq type='result' id='2522'/>
        robot < [ping ROBOT]
        robot > <presence><status>hello world</status></presence>
            |<iq type='result' from='[ROBOT]' to='ecouser.net' id='s2c1'/>
        robot < <presence to='[ROBOT]'> dummy </presence>
        robot < <iq type='set' id='14' to='[ROBOT]' from='ecouser.net'>
            |<query xmlns='com:ctl'><ctl td='GetDeviceInfo'/></query></iq>
    """
)

#: xmpp.md 6.1: a day in the life of a robot whose people sleep.
ROBOT_ALONE = (
    ROBOT
    + """
        robot > <iq to='ecouser.net' type='set' id='2523'><query xmlns='com:ctl'>
            |<ctl td='DeviceInfo' ver='1'/></query></iq>
        robot > <iq to='126.ecorobot.net' from='[ROBOT]' type='get' id='2542'>
            |<ping xmlns='urn:xmpp:ping'/></iq>
        robot < <iq type='result' id='2542' from='126.ecorobot.net'/>
        robot > <iq to='[ANDROID]' type='set' id='2700'><query xmlns='com:ctl'>
            |<ctl td='BatteryInfo'><battery power='087'/></ctl></query></iq>
        robot > <iq to='126.ecorobot.net' from='[ROBOT]' type='get' id='2800'>
            |<ping xmlns='urn:xmpp:ping'/></iq>
        robot < <iq type='result' id='2800' from='126.ecorobot.net'/>
        robot > [close]
        robot < [close]
        robot closed
    """
)

#: xmpp.md 6.2, up to the presence.
IOS = (
    opening("ios", "app", "<starttls xmlns='..tls'/>")
    + """
        ios > <auth xmlns="..sasl" mechanism="PLAIN">AGZ1aWRfYTFiMmMzADAvSU9TRjBBMUIyQzMvdXNfMGYx
            |ZTJkM2M0YjVhNjk3ODg3OTZhNWI0YzNkMmUxZjA=</auth>
        ios < [success]
        ios > [app header]
        ios < [greeting][known]
        ios > <iq type="set" id="5A3E7C10-6F1B-4E0D-9B7A-2C48D1E5F603"><bind xmlns="..bind">
            |<resource>IOSF0A1B2C3</resource></bind></iq>
        ios < <iq type='result' id='5A3E7C10-6F1B-4E0D-9B7A-2C48D1E5F603'><bind xmlns='..bind'>
            |<jid>[IOS]</jid></bind></iq>
        ios > <iq type="set" id="FA20B3C4"><session xmlns="..session"/></iq>
        ios < <iq type='result' id='FA20B3C4'/>
        ios < [ping IOS]
        ios > <presence type="available"/>
        ios < <presence to='[IOS]'> dummy </presence>
    """
)

#: The same on the other kind of telephone, with the requests that only it sends (also 10 and 11).
ANDROID = (
    opening("android", "app", "<starttls xmlns='..tls'/>")
    + """
        android > <auth xmlns="..sasl" mechanism="PLAIN">AGZ1aWRfYTFiMmMzADAvR0xCYTkxZjAzYzJkL3Vz
            |XzBmMWUyZDNjNGI1YTY5Nzg4Nzk2YTViNGMzZDJlMWYw</auth>
        android < [success]
        android > [app header]
        android < [greeting][known]
        android > <iq id="EE0XQ-0" type="set"><bind xmlns="..bind">
            |<resource>GLBa91f03c2d</resource></bind></iq>
        android < <iq type='result' id='EE0XQ-0'><bind xmlns='..bind'><jid>[ANDROID]</jid></bind>
            |</iq>
        android > <iq id="EE0XQ-1" type="set"><session xmlns="..session"/></iq>
        android < <iq type='result' id='EE0XQ-1'/>
        android < [ping ANDROID]
        android > <presence/>
        android < <presence to='[ANDROID]'> dummy </presence>
        android > <iq id="EE0XQ-2" type="get"><query xmlns="jabber:iq:roster" ></query></iq>
        android < <iq type='error' id='EE0XQ-2'>[not implemented]</iq>
        android > <iq id="EE0XQ-3" type="set" to="rl.ecorobot.net"><query xmlns="com:sf">
            |<sf td="bind" n="Küche 厨房 🤖"/></query></iq>
        android < <iq id='EE0XQ-3' to='[ANDROID]' from='rl.ecorobot.net' type='result'/>
    """
)

#: xmpp.md 6.2, 8.3 and 13.1: both kinds at one robot; answers reach one, events both.
APPS = (
    ROBOT
    + IOS
    + ANDROID
    + """
        ios > <iq id="104934615" to="[ROBOT]" type="get"><ping xmlns="urn:xmpp:ping"/></iq>
        robot < <iq id='104934615' to='[ROBOT]' type='get' from='[IOS]'>
            |<ping xmlns="urn:xmpp:ping"/></iq>
        robot > <iq type='result' to='[IOS]' id='104934615'/>
        ios < <iq type='result' to='[IOS]' id='104934615' from='[ROBOT]'/>
        ios > <iq id="7" to="[ROBOT]" type="set"><query xmlns="com:ctl">
            |<ctl id="72107787" td="GetCleanState"/></query></iq>
        robot < <iq id='7' to='[ROBOT]' type='set' from='[IOS]'><query xmlns="com:ctl">
            |<ctl id="72107787" td="GetCleanState"/></query></iq>
        robot > <iq type='result' to='[IOS]' id='7'/>
        ios < <iq type='result' to='[IOS]' id='7' from='[ROBOT]'/>
        robot > <iq to='[IOS]' type='set' id='2733'><query xmlns='com:ctl'>
            |<ctl id='72107787' ret='ok'><clean type='auto' speed='standard' st='s'/></ctl>
            |</query></iq>
        ios < <iq to='[IOS]' type='set' id='2733' from='[ROBOT]'><query xmlns='com:ctl'>
            |<ctl id='72107787' ret='ok'><clean type='auto' speed='standard' st='s'/></ctl>
            |</query></iq>
        android > <iq id="8" to="[ROBOT]" type="set"><query xmlns="com:ctl">
            |<ctl id="18273645" td="RenameM" tp="sa" msid="8"><m mid="3" n="Küche's 厨房 🤖"/>
            |</ctl></query></iq>
        robot < <iq id='8' to='[ROBOT]' type='set' from='[ANDROID]'><query xmlns="com:ctl">
            |<ctl id="18273645" td="RenameM" tp="sa" msid="8"><m mid="3" n="Küche's 厨房 🤖"/>
            |</ctl></query></iq>
        robot > <iq to='[ANDROID]' type='set' id='2740'><query xmlns='com:ctl'>
            |<ctl id='18273645' ret='ok'/></query></iq>
        android < <iq to='[ANDROID]' type='set' id='2740' from='[ROBOT]'><query xmlns='com:ctl'>
            |<ctl id='18273645' ret='ok'/></query></iq>
        robot > <iq to='[ANDROID]' type='set' id='2741'><query xmlns='com:ctl'>
            |<ctl td='MapSet' n='Küche "厨房" 🤖'/></query></iq>
            |<iq to='[ANDROID]' type='set' id='2742'><query xmlns='com:ctl'>
            |<ctl td='BatteryInfo'><battery power='087'/></ctl></query></iq>
        android < <iq to='[ANDROID]' type='set' id='2741' from='[ROBOT]'><query xmlns='com:ctl'>
            |<ctl td='MapSet' n='Küche "厨房" 🤖'/></query></iq>
        android < <iq to='[ANDROID]' type='set' id='2742' from='[ROBOT]'><query xmlns='com:ctl'>
            |<ctl td='BatteryInfo'><battery power='087'/></ctl></query></iq>
        ios < <iq to='[IOS]' type='set' id='2741' from='[ROBOT]'><query xmlns='com:ctl'>
            |<ctl td='MapSet' n='Küche "厨房" 🤖'/></query></iq>
        ios < <iq to='[IOS]' type='set' id='2742' from='[ROBOT]'><query xmlns='com:ctl'>
            |<ctl td='BatteryInfo'><battery power='087'/></ctl></query></iq>
        ios > <presence type='unavailable'/>[close]
        ios < [close]
        ios closed
    """
)

#: xmpp.md 6.3, up to the session; the program does not understand our pings, and says so.
SUCKS_COMES = (
    opening("sucks", "sucks", '<starttls xmlns="..tls"><required /></starttls>')
    + """
        sucks > <auth xmlns="..sasl" mechanism="PLAIN">ZnVpZF9hMWIyYzMAZnVpZF9hMWIyYzMAMC9zazdkMWYw
            |Mi85YWI4YzdkNg==</auth>
        sucks < [success]
        sucks > [sucks header]
        sucks < [greeting][known]
        sucks > <iq id="3c9e-1" type="set"><bind xmlns="..bind" /></iq>
        sucks < <iq type='result' id='3c9e-1'><bind xmlns='..bind'><jid>[SUCKS]</jid></bind></iq>
        sucks > <iq id="3c9e-2" type="set"><session xmlns="..session" /></iq>
        sucks < <iq type='result' id='3c9e-2'/>
        sucks < [ping SUCKS]
        sucks > <iq id="s2c1" type="error" to="ecouser.net" from="[SUCKS]">
            |<error type="cancel" code="501"><feature-not-implemented xmlns="..stanzas" />
            |</error></iq>
    """
)

#: xmpp.md 6.3 and 9: the robot is off, and both requests end at once, in their own spelling.
SUCKS_ALONE = (
    SUCKS_COMES
    + """
        sucks > <iq id="3c9e-3" type="get" to="[robot]" from="[SUCKS]">
            |<ping xmlns="urn:xmpp:ping" /></iq>
        sucks < <iq type='error' to='[SUCKS]' from='[robot]' id='3c9e-3'>[unavailable]</iq>
        sucks > <iq id="3c9e-4" type="set" to="[ROBOT]" from="[SUCKS]"><query xmlns="com:ctl">
            |<ctl td="GetBatteryInfo" /></query></iq>
        sucks < <iq type='error' to='[SUCKS]' from='[ROBOT]' id='3c9e-4'>[unavailable]</iq>
        sucks > [blank]
        sucks > [close]
        sucks < [close]
        sucks closed
    """
)

#: xmpp.md 6.3 and 13.1: without an id of its own, an answer is an event.
SUCKS = (
    ROBOT
    + SUCKS_COMES
    + """
        sucks > <iq id="3c9e-3" type="get" to="[robot]" from="[SUCKS]">
            |<ping xmlns="urn:xmpp:ping" /></iq>
        robot < <iq id='3c9e-3' type='get' to='[robot]' from='[SUCKS]'>
            |<ping xmlns="urn:xmpp:ping" /></iq>
        robot > <iq type='result' to='[SUCKS]' id='3c9e-3'/>
        sucks < <iq type='result' to='[SUCKS]' id='3c9e-3' from='[ROBOT]'/>
        sucks > <iq id="3c9e-4" type="set" to="[robot]" from="[SUCKS]"><query xmlns="com:ctl">
            |<ctl td="GetBatteryInfo" /></query></iq>
        robot < <iq id='3c9e-4' type='set' to='[robot]' from='[SUCKS]'><query xmlns="com:ctl">
            |<ctl td="GetBatteryInfo" /></query></iq>
        robot > <iq type='result' to='[SUCKS]' id='3c9e-4'/>
            |<iq to='[SUCKS]' type='set' id='2750'><query xmlns='com:ctl'>
            |<ctl td='BatteryInfo'><battery power='087'/></ctl></query></iq>
        sucks < <iq type='result' to='[SUCKS]' id='3c9e-4' from='[ROBOT]'/>
        sucks < <iq to='[SUCKS]' type='set' id='2750' from='[ROBOT]'><query xmlns='com:ctl'>
            |<ctl td='BatteryInfo'><battery power='087'/></ctl></query></iq>
        sucks > [blank]
    """
)

#: xmpp.md 6.4: the ping is called C{query}; and the way it leaves.
JS = (
    ROBOT
    + opening("js", "js", '<starttls xmlns="..tls"/>')
    + """
        js > <auth xmlns="..sasl" mechanism="PLAIN">ZnVpZF9hMWIyYzNAZWNvdXNlci5uZXQAZnVpZF9hMWIy
            |YzMAMC9lajQ0YWEwMS85YWI4YzdkNg==</auth>
        js < [success]
        js > [js header]
        js < [greeting][known]
        js > <iq type="set" id="bind"><bind xmlns="..bind"/></iq>
        js < <iq type='result' id='bind'><bind xmlns='..bind'><jid>[JS]</jid></bind></iq>
        js > <iq type="set" to="ecouser.net" id="sess"><session xmlns="..session"/></iq>
        js < <iq type='result' id='sess'/>
        js < [ping JS]
        js > <presence/>
        js < <presence to='[JS]'> dummy </presence>
        js > <iq id="1" from="[JS]" to="[ROBOT]" type="get"><query xmlns="urn:xmpp:ping"/></iq>
        robot < <iq id='1' from='[JS]' to='[ROBOT]' type='get'><query xmlns="urn:xmpp:ping"/></iq>
        robot > <iq type='result' to='[JS]' id='1'/>
        js < <iq type='result' to='[JS]' id='1' from='[ROBOT]'/>
        js > <iq id="2" from="[JS]" to="[ROBOT]" type="set"><query xmlns="com:ctl">
            |<ctl td="GetCleanState" id="18273645"/></query></iq>
        robot < <iq id='2' from='[JS]' to='[ROBOT]' type='set'><query xmlns="com:ctl">
            |<ctl td="GetCleanState" id="18273645"/></query></iq>
        robot > <iq type='result' to='[JS]' id='2'><query xmlns='com:ctl'>
            |<ctl id='18273645' ret='ok'><clean type='stop' speed='standard' st='h'/></ctl>
            |</query></iq>
        js < <iq type='result' to='[JS]' id='2' from='[ROBOT]'><query xmlns='com:ctl'>
            |<ctl id='18273645' ret='ok'><clean type='stop' speed='standard' st='h'/></ctl>
            |</query></iq>
        js > <presence type="unavailable"><status>Logged out</status></presence>[close]
        js < [close]
        js closed
    """
)

#: xmpp.md 6.5: no presence; the stream begins with an XML declaration; a question to the server.
JAVA = (
    ROBOT
    + opening("java", "java", "<starttls xmlns='..tls'></starttls>")
    + """
        java > <auth xmlns='..sasl' mechanism='PLAIN'>AGZ1aWRfYTFiMmMzADAvanYxOWMwZGUvdXNfMGYxZTJk
            |M2M0YjVhNjk3ODg3OTZhNWI0YzNkMmUxZjA=</auth>
        java < [success]
        java > [java header]
        java < [greeting][known]
        java > <iq id='Xk3a1-1' type='set'><bind xmlns='..bind'>
            |<resource>jv19c0de</resource></bind></iq>
        java < <iq type='result' id='Xk3a1-1'><bind xmlns='..bind'><jid>[JAVA]</jid></bind></iq>
        java > <iq id='Xk3a1-2' type='set'><session xmlns='..session'/></iq>
        java < <iq type='result' id='Xk3a1-2'/>
        java < [ping JAVA]
        java > <iq type='result' to='ecouser.net' id='s2c1'/>
        java > <iq to='ecouser.net' id='Xk3a1-3' type='get'>
            |<query xmlns='http://jabber.org/protocol/disco#info'></query></iq>
        java < <iq type='error' from='ecouser.net' id='Xk3a1-3'>[not implemented]</iq>
        java > <iq to='[robot]' from='[JAVA]' id='Xk3a1-4' type='set'><query xmlns='com:ctl'>
            |<ctl id='43219876' td='GetChargeState'></ctl></query></iq>
        robot < <iq to='[robot]' from='[JAVA]' id='Xk3a1-4' type='set'><query xmlns='com:ctl'>
            |<ctl id='43219876' td='GetChargeState'></ctl></query></iq>
        robot > <iq to='[JAVA]' type='set' id='2760'><query xmlns='com:ctl'>
            |<ctl id='43219876' ret='ok'><charge type='Going' h='0' r='a'/></ctl></query></iq>
        java < <iq to='[JAVA]' type='set' id='2760' from='[ROBOT]'><query xmlns='com:ctl'>
            |<ctl id='43219876' ret='ok'><charge type='Going' h='0' r='a'/></ctl></query></iq>
        java > <iq to='[robot]' id='Xk3a1-5' type='get'><ping xmlns='urn:xmpp:ping'/></iq>
        robot < <iq to='[robot]' id='Xk3a1-5' type='get' from='[JAVA]'>
            |<ping xmlns='urn:xmpp:ping'/></iq>
        robot > <iq type='result' to='[JAVA]' id='Xk3a1-5'/>
        java < <iq type='result' to='[JAVA]' id='Xk3a1-5' from='[ROBOT]'/>
        java > [close]
        java < [close]
        java closed
    """
)

#: xmpp.md 10: what the server is asked and does not know, by the namespace of the child alone.
REQUESTS = (
    IOS
    + """
        ios > <iq id="r1" type="get"><query xmlns="jabber:iq:roster"/></iq>
        ios < <iq type='error' id='r1'>[not implemented]</iq>
        ios > <iq id="r2" type="get" to="ecouser.net">
            |<query xmlns="http://jabber.org/protocol/disco#items"/></iq>
        ios < <iq type='error' from='ecouser.net' id='r2'>[not implemented]</iq>
        ios > <iq id="r3" type="get"><vCard xmlns="vcard-temp"/></iq>
        ios < <iq type='error' id='r3'>[not implemented]</iq>
        ios > <iq id="r4" type="get"><query xmlns="jabber:iq:private"><é xmlns="x"/></query></iq>
        ios < <iq type='error' id='r4'>[not implemented]</iq>
        ios > <iq id="r5" type="get" to="ecouser.net"><ping xmlns="urn:xmpp:ping"/></iq>
        ios < <iq type='result' id='r5' from='ecouser.net'/>
    """
)

#: xmpp.md 11: both services; an alert keeps its namespace, and reaches the one it is for.
SERVICES = (
    ROBOT
    + IOS
    + """
        ios > <iq id="9" type="set" to="rl.ecorobot.net"><query xmlns="com:sf"/></iq>
        ios < <iq id='9' to='[IOS]' from='rl.ecorobot.net' type='result'/>
        robot > <iq to='rl.ecorobot.net' type='set' id='1234'><query xmlns='com:sf'>
            |<sf td='pub' t='log' ts='1767225600000' tp='p' k='DeviceAlert' v='DorpError'
            | f='E0009876500123450001@126.ecorobot.net' g='fuid_a1b2c3@ecouser.net'/></query></iq>
        robot < <iq type='result' id='1234' from='rl.ecorobot.net' to='[ROBOT]'/>
        ios < <iq to='[IOS]' type='set' id='1234' from='[ROBOT]'><query xmlns='com:sf'>
            |<sf td='pub' t='log' ts='1767225600000' tp='p' k='DeviceAlert' v='DorpError'
            | f='E0009876500123450001@126.ecorobot.net' g='fuid_a1b2c3@ecouser.net'/></query></iq>
    """
)

#: xmpp.md 12: a robot that obeys somebody at the vendor's, and is adopted.
ADOPTION = (
    ROBOT
    + ANDROID
    + """
        android > <iq id="7" to="[ROBOT]" type="set"><query xmlns="com:ctl">
            |<ctl id="72107787" td="GetCleanState"/></query></iq>
        robot < <iq id='7' to='[ROBOT]' type='set' from='[ANDROID]'><query xmlns="com:ctl">
            |<ctl id="72107787" td="GetCleanState"/></query></iq>
        robot > <iq to='[ANDROID]' type='set' id='2811'><query xmlns='com:ctl'>
            |<ctl id='72107787' ret='fail' errno='103'
            | error='permission denied, please contact n5q8w2e7r4t1y6u3@ecouser.net'/></query></iq>
        android < <iq to='[ANDROID]' type='set' id='2811' from='[ROBOT]'><query xmlns='com:ctl'>
            |<ctl id='72107787' ret='fail' errno='103'
            | error='permission denied, please contact n5q8w2e7r4t1y6u3@ecouser.net'/></query></iq>
        robot < <iq type='set' id='#' from='n5q8w2e7r4t1y6u3@ecouser.net' to='[ROBOT]'>
            |<query xmlns='com:ctl'><ctl td='AddUser' id='0000' jid='fuid_a1b2c3@ecouser.net'/>
            |</query></iq>
        robot < <iq type='set' id='#' from='n5q8w2e7r4t1y6u3@ecouser.net' to='[ROBOT]'>
            |<query xmlns='com:ctl'><ctl td='SetAC' id='1111' jid='fuid_a1b2c3@ecouser.net'>
            |<acs><ac name='userman' allow='1'/><ac name='setting' allow='1'/>
            |<ac name='clean' allow='1'/></acs></ctl></query></iq>
        robot < <iq type='set' id='#' from='n5q8w2e7r4t1y6u3@ecouser.net' to='[ROBOT]'>
            |<query xmlns='com:ctl'><ctl td='GetUserInfo' id='4444'/><UserInfos/></query></iq>
        robot > <iq to='n5q8w2e7r4t1y6u3@ecouser.net' type='set' id='2812'>
            |<query xmlns='com:ctl'><ctl id='0000' ret='ok'/></query></iq>
            |<iq to='n5q8w2e7r4t1y6u3@ecouser.net' type='set' id='2813'>
            |<query xmlns='com:ctl'><ctl id='1111' ret='ok'/></query></iq>
            |<iq to='n5q8w2e7r4t1y6u3@ecouser.net' type='set' id='2814'>
            |<query xmlns='com:ctl'><ctl id='4444' ret='ok'/></query></iq>
        robot > <iq to='[ANDROID]' type='set' id='2815'><query xmlns='com:ctl'>
            |<ctl id='72107788' ret='fail' errno='103'
            | error='permission denied, please contact n5q8w2e7r4t1y6u3@ecouser.net'/></query></iq>
        android < <iq to='[ANDROID]' type='set' id='2815' from='[ROBOT]'><query xmlns='com:ctl'>
            |<ctl id='72107788' ret='fail' errno='103'
            | error='permission denied, please contact n5q8w2e7r4t1y6u3@ecouser.net'/></query></iq>
        robot > <iq to='[ANDROID]' type='set' id='2816'><query xmlns='com:ctl'>
            |<ctl td='error' error='WheelAbnormal' errno='103'/></query></iq>
        android < <iq to='[ANDROID]' type='set' id='2816' from='[ROBOT]'><query xmlns='com:ctl'>
            |<ctl td='error' error='WheelAbnormal' errno='103'/></query></iq>
    """
)

#: Those that need nothing but a router.
ALL = (ROBOT_ALONE, APPS, SUCKS_ALONE, SUCKS, JS, JAVA, REQUESTS, SERVICES)
