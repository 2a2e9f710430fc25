"""Commands in JSON, what XML robots are asked for them, and what comes of their answers."""

#: As two generations of robots write it.
SCHEDULES = (
    "<ctl ret='ok'><s n='1' o='1' h='9' m='30' r='0111110' f='0'><ctl td='Clean'>"
    "<clean type='auto'/></ctl></s><s n='b' o='0' t='12:10' r='0000001'/></ctl>"
)


def order(job: str) -> tuple[str, str]:
    """An order to clean; the suction is always told."""
    kind, act, *where = job.split(" ")
    return "Clean", f"<ctl><clean {' '.join([kind, act, SUCTION, *where])}/></ctl>"


SUCTION = "speed='strong'"

#: A command with its arguments, and what an XML robot is asked.
ASKED: list[tuple[str, object, list[tuple[str, str]]]] = [
    (
        "clean",
        {"act": "start", "type": "auto"},
        [order("type='auto' act='s'")],
    ),
    (
        "clean",
        {"act": "start", "type": "border", "count": 1, "donotClean": 0, "router": "plan"},
        [order("type='border' act='s'")],
    ),
    ("clean", {"act": "start"}, [order("type='auto' act='s'")]),
    ("clean", {"act": "pause"}, [order("type='auto' act='p'")]),
    ("clean", {"act": "resume"}, [order("type='auto' act='r'")]),
    ("clean", {"act": "stop"}, [order("type='stop' act='h'")]),
    (
        "clean",
        {"act": "start", "type": "spotArea", "content": "3,5", "count": 2},
        [order("type='SpotArea' act='s' deep='2' mid='3,5'")],
    ),
    (
        "clean",
        {"act": "start", "type": "customArea", "content": "-4,12,9,-3"},
        [order("type='SpotArea' act='s' deep='1' p='-4,12,9,-3'")],
    ),
    (
        "clean_V2",
        {"act": "start", "content": {"type": "spotArea", "value": "3", "count": 1}},
        [order("type='SpotArea' act='s' deep='1' mid='3'")],
    ),
    (
        "clean_V2",
        {"act": "start", "content": {"type": "freeClean", "value": "2,3,5"}},
        [order("type='SpotArea' act='s' deep='2' mid='3,5'")],
    ),
    (
        "clean_V2",
        {"act": "pause", "content": {"type": ""}},
        [order("type='auto' act='p'")],
    ),
    ("charge", {"act": "go"}, [("Charge", "<ctl><charge type='go'/></ctl>")]),
    ("charge", None, [("Charge", "<ctl><charge type='go'/></ctl>")]),
    ("move", {"act": "SpinLeft"}, [("Move", "<ctl><move action='SpinLeft'/></ctl>")]),
    ("getBattery", None, [("GetBatteryInfo", "<ctl/>")]),
    ("getBattery", {"id": "12345678"}, [("GetBatteryInfo", "<ctl/>")]),
    ("getChargeState", None, [("GetChargeState", "<ctl/>")]),
    ("getCleanInfo", None, [("GetCleanState", "<ctl/>"), ("GetChargeState", "<ctl/>")]),
    (
        "getLifeSpan",
        ["heap", "brush", "unitCare"],
        [
            ("GetLifeSpan", "<ctl type='Brush'/>"),
            ("GetLifeSpan", "<ctl type='DustCaseHeap'/>"),
        ],
    ),
    (
        "getLifeSpan",
        None,
        [
            ("GetLifeSpan", "<ctl type='Brush'/>"),
            ("GetLifeSpan", "<ctl type='SideBrush'/>"),
            ("GetLifeSpan", "<ctl type='DustCaseHeap'/>"),
        ],
    ),
    ("resetLifeSpan", {"type": "heap"}, [("ResetLifeSpan", "<ctl type='DustCaseHeap'/>")]),
    ("getSpeed", None, [("GetCleanSpeed", "<ctl/>")]),
    ("setSpeed", {"speed": 1000}, [("SetCleanSpeed", "<ctl speed='standard'/>")]),
    ("setSpeed", {"speed": 2}, [("SetCleanSpeed", "<ctl speed='strong'/>")]),
    ("getWaterInfo", None, [("GetWaterPermeability", "<ctl/>"), ("GetWaterBoxInfo", "<ctl/>")]),
    ("setWaterInfo", {"amount": 3}, [("SetWaterPermeability", "<ctl v='3'/>")]),
    ("getPos", ["chargePos", "deebotPos"], [("GetPos", "<ctl/>"), ("GetChargerPos", "<ctl/>")]),
    ("getPos", ["chargePos"], [("GetChargerPos", "<ctl/>")]),
    ("getOta", None, [("GetVersion", "<ctl name='FW'/>")]),
    ("playSound", {"sid": 17, "count": 1}, [("PlaySound", "<ctl sid='17'/>")]),
    ("playSound", None, [("PlaySound", "<ctl sid='30'/>")]),
    ("setTimeZone", {"tzm": 60}, [("SetTime", "<ctl><time t='1767225600' tz='+1'/></ctl>")]),
    ("setTimeZone", {"tzm": -210}, [("SetTime", "<ctl><time t='1767225600' tz='-3.5'/></ctl>")]),
    ("setTimeZone", {"tzm": 0}, [("SetTime", "<ctl><time t='1767225600' tz='+0'/></ctl>")]),
    ("setBlock", {"enable": 1}, [("SetOnOff", "<ctl t='b' on='1'/>")]),
    (
        "setBlock",
        {"enable": 0, "start": "22:00", "end": "8:00"},
        [("SetOnOff", "<ctl t='b' on='0'/>")],
    ),
    ("getSched_V2", None, [("GetSched", "<ctl/>")]),
    ("getCleanLogs", None, [("GetCleanLogs", "<ctl count='30'/>")]),
    ("getBreakPoint", None, [("GetOnOff", "<ctl t='g'/>")]),
    ("setBreakPoint", {"enable": 1}, [("SetOnOff", "<ctl t='g' on='1'/>")]),
    ("getMinorMap", {"mid": "7", "pieceIndex": 27}, [("PullMP", "<ctl pid='27'/>")]),
    ("getMapSet", {"mid": "7", "type": "ar"}, [("GetMapSet", "<ctl tp='sa'/>")]),
    (
        "getMapSubSet",
        {"mid": "7", "msid": "8", "type": "vw", "mssid": "3"},
        [("PullM", "<ctl tp='vw' msid='8' mid='3' seq='0'/>")],
    ),
    (
        "getInfo",
        ["getBattery", "getBlock", "getCarpet"],
        [("GetBatteryInfo", "<ctl/>"), ("GetOnOff", "<ctl t='b'/>")],
    ),
]  # fmt: skip

#: A command, what the robot answers, and the data that comes of it.
ANSWERED: list[tuple[str, object, list[str | None], object]] = [
    ("clean", {"act": "stop"}, ["<ctl ret='ok'/>"], None),
    (
        "getBattery",
        None,
        ["<ctl ret='ok'><battery power='087'/></ctl>"],
        {"value": 87, "isLow": 0},
    ),
    ("getBattery", None, ["<ctl><battery power='15'/></ctl>"], {"value": 15, "isLow": 1}),
    (
        "getChargeState",
        None,
        ["<ctl ret='ok'><charge type='SlotCharging' g='0'/></ctl>"],
        {"isCharging": 1, "mode": "slot"},
    ),
    (
        "getChargeState",
        None,
        ["<ctl ret='ok'><charge type='Idle'/></ctl>"],
        {"isCharging": 0, "mode": "slot"},
    ),
    (
        "getCleanInfo",
        None,
        [
            "<ctl ret='ok'><clean type='auto' st='h' t='' a='' s='' tr=''/></ctl>",
            "<ctl ret='ok'><charge type='SlotCharging'/></ctl>",
        ],
        {"trigger": "none", "state": "idle"},
    ),
    (
        "getCleanInfo",
        None,
        [
            "<ctl ret='ok'><clean type='SpotArea' mid='3,5' st='s' s='1767225600' tr='a'/></ctl>",
            None,
        ],
        {
            "trigger": "app",
            "state": "clean",
            "cleanState": {
                "router": "plan",
                "id": "1767225600",
                "type": "spotArea",
                "content": "3,5",
                "count": 1,
                "motionState": "working",
            },
        },
    ),
    (
        "getCleanInfo_V2",
        None,
        [
            "<ctl ret='ok'><clean type='SpotArea' p='1,2,3,4' st='p' cs='9'/></ctl>",
            "<ctl ret='ok'><charge type='Idle'/></ctl>",
        ],
        {
            "trigger": "none",
            "state": "clean",
            "cleanState": {
                "router": "plan",
                "cid": "9",
                "content": {"type": "customArea", "value": "1,2,3,4"},
                "count": 1,
                "motionState": "pause",
            },
        },
    ),
    (
        "getCleanInfo",
        None,
        ["<ctl><clean type='stop'/></ctl>", "<ctl><charge type='Going'/></ctl>"],
        {
            "trigger": "none",
            "state": "goCharging",
            "cleanState": {
                "router": "plan",
                "id": "",
                "type": "stop",
                "content": "",
                "count": 1,
                "motionState": "goCharging",
            },
        },
    ),
    (
        "getStats",
        None,
        ["<ctl ret='ok'><clean type='auto' st='s' t='480' a='7' s='1767225600'/></ctl>"],
        {"area": 7, "time": 480, "cid": "1767225600", "start": "1767225600", "type": "auto"},
    ),
    (
        "getStats",
        None,
        ["<ctl ret='ok'><clean type='auto' st='h' t='' a='' s='' tr=''/></ctl>"],
        {"area": 0, "time": 0, "cid": "111", "start": "0", "type": "auto"},
    ),
    (
        "getTotalStats",
        None,
        ["<ctl ret='ok' a='3120' l='210000' c='188'/>"],
        {"area": 3120, "time": 210000, "count": 188},
    ),
    (
        "getCleanLogs",
        None,
        ["<ctl ret='ok'><CleanSt s='1767225600' a='14' l='1260' t='a' f='s'/><CleanSt/></ctl>"],
        {
            "logs": [
                {
                    "ts": 1767225600,
                    "last": 1260,
                    "area": 14,
                    "type": "",
                    "stopReason": 1,
                    "imageUrl": "",
                }
            ]
        },
    ),
    (
        "getLifeSpan",
        ["brush", "sideBrush", "heap"],
        [
            "<ctl ret='ok' type='Brush' left='220' total='300'/>",
            "<ctl ret='ok' type='SideBrush ' val='40'/>",
            "<ctl ret='ok' type='DustCaseHeap' left='60'/>",
        ],
        [
            {"type": "brush", "left": 220, "total": 300},
            {"type": "sideBrush", "left": 40, "total": 100},
            {"type": "heap", "left": 60, "total": 7200},
        ],
    ),
    (
        "getLifeSpan",
        ["brush", "heap"],
        ["<ctl ret='fail' errno='1'/>", "<ctl ret='ok' type='DustCaseHeap' val='1' total='4'/>"],
        [{"type": "heap", "left": 1, "total": 4}],
    ),
    ("getSpeed", None, ["<ctl ret='ok' speed='strong'/>"], {"speed": 1}),
    (
        "getWaterInfo",
        None,
        ["<ctl ret='ok' v='2'/>", "<ctl ret='ok' on='1'/>"],
        {"enable": 1, "amount": 2},
    ),
    ("getWaterInfo", None, ["<ctl ret='ok' v='2'/>", None], {"amount": 2}),
    ("getWaterInfo", None, ["<ctl ret='fail'/>", "<ctl ret='ok' on='0'/>"], {"enable": 0}),
    ("getError", None, ["<ctl ret='ok' errs=''/>"], {"code": [0]}),
    ("getError", None, ["<ctl ret='ok' errs='100'/>"], {"code": [0]}),
    ("getError", None, ["<ctl ret='ok' errs='102,104'/>"], {"code": [102, 104]}),
    (
        "getPos",
        ["chargePos", "deebotPos"],
        ["<ctl ret='ok' t='p' p='1240,-655' a='90' valid='1'/>", "<ctl ret='ok' p='0,0' a='0'/>"],
        {
            "deebotPos": {"x": 1240, "y": -655, "a": 90, "invalid": 0},
            "chargePos": [{"x": 0, "y": 0, "a": 0, "invalid": 0, "t": 1}],
        },
    ),
    (
        "getPos",
        None,
        ["<ctl ret='ok' p='1,2' valid='0'/>", None],
        {"deebotPos": {"x": 1, "y": 2, "a": 0, "invalid": 1}},
    ),
    (
        "getNetInfo",
        None,
        ["<ctl ret='ok' wi='192.0.2.31' s='a&b<c'/>"],
        {"ip": "192.0.2.31", "ssid": "a&b<c", "rssi": "", "mac": ""},
    ),
    ("getSleep", None, ["<ctl ret='ok' st='0'/>"], {"enable": 0}),
    (
        "getOta",
        None,
        ["<ctl ret='ok'><ver name='FW'>1.4.2</ver></ctl>"],
        {
            "status": "idle",
            "ver": "1.4.2",
            "progress": 0,
            "result": "",
            "isForce": 0,
            "supportAuto": 0,
            "autoSwitch": 0,
        },
    ),
    ("getBlock", None, ["<ctl ret='ok' on='1'/>"], {"enable": 1}),
    (
        "getSched",
        None,
        [SCHEDULES],
        [
            {
                "sid": "1",
                "enable": 1,
                "hour": 9,
                "minute": 30,
                "repeat": "0111110",
                "index": 0,
                "content": {
                    "name": "clean",
                    "jsonStr": "<ctl td='Clean'><clean type='auto'/></ctl>",
                },
            },
            {
                "sid": "b",
                "enable": 0,
                "hour": 12,
                "minute": 10,
                "repeat": "0000001",
                "index": 1,
                "content": {"name": "clean", "jsonStr": ""},
            },
        ],
    ),
    ("getMapState", None, ["<ctl ret='ok' st='built' method='auto'/>"], {"state": "built"}),
    (
        "getMajorMap",
        None,
        ["<ctl ret='ok' i='12' w='100' h='100' r='8' c='8' p='50' m='1,2'/>"],
        {
            "mid": "12",
            "pieceWidth": 100,
            "pieceHeight": 100,
            "cellWidth": 8,
            "cellHeight": 8,
            "pixel": 50,
            "type": "ol",
            "value": "1,2",
        },
    ),
    (
        "getMinorMap",
        {"pieceIndex": 27},
        ["<ctl ret='ok' i='12' p='XQ=='/>"],
        {"mid": "12", "type": "ol", "pieceIndex": 27, "pieceValue": "XQ=="},
    ),
    (
        "getMapSet",
        {"mid": "12", "type": "ar"},
        ["<ctl ret='ok' tp='sa' msid='8'><m mid='3' p='1'/><m mid='5' n='K' p='1'/></ctl>"],
        {
            "mid": "12",
            "msid": "8",
            "type": "ar",
            "count": 2,
            "subsets": [{"mssid": "3", "name": ""}, {"mssid": "5", "name": "K"}],
        },
    ),
    (
        "getMapSubSet",
        {"mid": "12", "msid": "8", "type": "ar", "mssid": "3"},
        ["<ctl ret='ok' m='1,2;3,4'/>"],
        {"mid": "12", "msid": "8", "type": "ar", "mssid": "3", "value": "1,2;3,4"},
    ),
    (
        "getInfo",
        ["getBattery", "getBlock", "getSleep"],
        ["<ctl ret='ok'><battery power='50'/></ctl>", None, "<ctl ret='fail' errno='7'/>"],
        {
            "getBattery": {"code": 0, "msg": "ok", "data": {"value": 50, "isLow": 0}},
            "getSleep": {"code": 7, "msg": "fail"},
        },
    ),
]  # fmt: skip

#: Commands that no XML robot can be asked.
IMPOSSIBLE: list[tuple[str, object]] = [
    ("getVolume", None),
    ("setSched_V2", {"act": "add"}),
    ("stationAction", {"act": 1}),
    ("clean", {"act": "dance"}),
    ("clean", {}),
    ("clean", {"act": ["start"]}),
    ("clean", {"act": "start", "type": "spotArea"}),
    ("clean", {"act": "start", "type": "comeClean"}),
    ("clean_V2", {"act": "start", "content": {"type": "freeClean", "value": "3"}}),
    ("charge", {"act": "stopGo"}),
    ("move", {"act": "jump"}),
    ("setSpeed", {"speed": 7}),
    ("setSpeed", {"speed": [1]}),
    ("setSpeed", None),
    ("getLifeSpan", ["unitCare"]),
    ("resetLifeSpan", {"type": "unitCare"}),
    ("setWaterInfo", {"customAmount": 25}),
    ("setBlock", {"enable": 1, "start": "22:00", "end": "8:00"}),
    ("setTimeZone", {}),
    ("getMinorMap", {}),
    ("getMapSet", {"mid": "7", "type": "xx"}),
    ("getMapSubSet", {"type": "ar"}),
    ("getInfo", ["getCarpet"]),
    ("getInfo", None),
]
