-- What the second version added: a client that is away, what it is owed, and a last word.
INSERT INTO mqtt_sessions VALUES (1, 'helper key', 'service', 'helper', '', '', 'ha', 1700000400.0, 3);
INSERT INTO mqtt_subscriptions VALUES (1, 1, 'iot/atr/#', 1);
INSERT INTO mqtt_messages VALUES
    (5, 'iot/atr/onBattery/dusty/yna5xi/x/j', 'robot', 'dusty', 'yna5xi', 'x', x'7b7d');
INSERT INTO mqtt_queue VALUES (1, 3, 5, 1, 0, 0);
INSERT INTO mqtt_received VALUES (1, 77);
INSERT INTO mqtt_retained VALUES
    (1, 'house/door', 1, 1700000401.0, 'service', 'helper', '', '', x'6f70656e');
