-- What the MQTT broker keeps for clients that are away, and for those that subscribe later.
--
-- Whatever belongs to a session goes with it.  A party is "role" with name, realm and resource;
-- messages without a role are our own.

CREATE TABLE mqtt_sessions (
    place INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    realm TEXT NOT NULL,
    resource TEXT NOT NULL,
    client_id TEXT NOT NULL,
    left_at REAL,
    sent INTEGER NOT NULL
) STRICT;

CREATE TABLE mqtt_subscriptions (
    place INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES mqtt_sessions ON DELETE CASCADE,
    topic_filter TEXT NOT NULL,
    qos INTEGER NOT NULL,
    UNIQUE (session, topic_filter)
) STRICT;

-- A body is here once, however many sessions are owed it, and goes with the last of them.
CREATE TABLE mqtt_messages (
    number INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    role TEXT,
    name TEXT,
    realm TEXT,
    resource TEXT,
    payload BLOB NOT NULL
) STRICT;

CREATE TABLE mqtt_queue (
    session INTEGER NOT NULL REFERENCES mqtt_sessions ON DELETE CASCADE,
    packet_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    qos INTEGER NOT NULL,
    retain INTEGER NOT NULL,
    released INTEGER NOT NULL,
    PRIMARY KEY (session, packet_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX mqtt_queue_of_message ON mqtt_queue (number);

CREATE TRIGGER mqtt_queue_settled AFTER DELETE ON mqtt_queue BEGIN
    DELETE FROM mqtt_messages WHERE number = old.number
        AND NOT EXISTS (SELECT 1 FROM mqtt_queue WHERE number = old.number);
END;

CREATE TRIGGER mqtt_queue_replaced AFTER UPDATE OF number ON mqtt_queue BEGIN
    DELETE FROM mqtt_messages WHERE number = old.number
        AND NOT EXISTS (SELECT 1 FROM mqtt_queue WHERE number = old.number);
END;

CREATE TABLE mqtt_received (
    session INTEGER NOT NULL REFERENCES mqtt_sessions ON DELETE CASCADE,
    packet_id INTEGER NOT NULL,
    PRIMARY KEY (session, packet_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE mqtt_retained (
    place INTEGER PRIMARY KEY,
    topic TEXT NOT NULL UNIQUE,
    qos INTEGER NOT NULL,
    at REAL NOT NULL,
    role TEXT,
    name TEXT,
    realm TEXT,
    resource TEXT,
    payload BLOB NOT NULL
) STRICT;
