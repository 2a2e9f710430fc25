-- A database as the first version of the program left it, in a house with three robots and two
-- people.  Written by hand: whatever becomes of the program, this is what it once wrote.

PRAGMA journal_mode = WAL;
PRAGMA application_id = 1651862896;
PRAGMA user_version = 1;

CREATE TABLE devices (place INTEGER PRIMARY KEY, did TEXT NOT NULL UNIQUE, model TEXT NOT NULL,
    resource TEXT NOT NULL, name TEXT NOT NULL, company TEXT NOT NULL, kind TEXT NOT NULL,
    nick TEXT NOT NULL, firmware TEXT NOT NULL, bound_at REAL NOT NULL, home TEXT NOT NULL) STRICT;
CREATE TABLE users (place INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, account TEXT NOT NULL,
    created_at REAL NOT NULL, password TEXT) STRICT;
CREATE TABLE tokens (digest TEXT NOT NULL PRIMARY KEY, uid TEXT NOT NULL, purpose TEXT NOT NULL,
    expires_at REAL NOT NULL, client TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_of_user ON tokens (uid);
CREATE TABLE homes (place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, uid TEXT NOT NULL,
    name TEXT NOT NULL, created_at REAL NOT NULL) STRICT;
CREATE INDEX homes_of_user ON homes (uid);
CREATE TABLE latest (did TEXT NOT NULL, kind TEXT NOT NULL, at REAL NOT NULL,
    number INTEGER NOT NULL, reading TEXT NOT NULL, PRIMARY KEY (did, kind)) STRICT, WITHOUT ROWID;
CREATE TABLE history (id INTEGER PRIMARY KEY, did TEXT NOT NULL, kind TEXT NOT NULL,
    at REAL NOT NULL, number INTEGER NOT NULL, reading TEXT NOT NULL) STRICT;
CREATE INDEX history_of_kind ON history (did, kind, at);
CREATE INDEX history_of_robot ON history (did, at);
CREATE INDEX history_by_age ON history (at);
CREATE TABLE cleaning_logs (id TEXT NOT NULL PRIMARY KEY, did TEXT NOT NULL, model TEXT NOT NULL,
    resource TEXT NOT NULL, job TEXT NOT NULL, started_at INTEGER NOT NULL, type TEXT,
    duration INTEGER, area INTEGER, stop_reason INTEGER, image_url TEXT,
    extras TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX cleaning_logs_of_robot ON cleaning_logs (did, started_at, id);

INSERT INTO devices VALUES
    (1, 'dusty', 'yna5xi', 'x', 'E000123', 'eco-ng', 'j', 'Däumling', '1.8.2', 1700000000.5, ''),
    (2, 'sandy', 'ls1ok3', 'y', 'E000456', 'eco-ng', 'x', '', '', 1700000100.0, 'h2'),
    (4, 'rusty', '126', 'atom', 'E000789', 'eco-legacy', 'x', 'Old one', '', 1700000200.0, '');
INSERT INTO users VALUES
    (1, 'u-anna', 'anna@example.org', 1690000000.25, 'scrypt$4096$8$1$00$00'),
    (2, 'u-ben', 'ben', 1690000001.0, NULL);
INSERT INTO tokens VALUES
    ('aa11', 'u-anna', 'access', 4000000000.0, 'phone'),
    ('bb22', 'u-anna', 'user', 4000000000.5, 'phone'),
    ('cc33', 'u-ben', 'user', 1.0, '');
INSERT INTO homes VALUES
    (1, 'h1', 'u-anna', 'Home', 1690000002.0),
    (3, 'h2', 'u-anna', 'Grandma''s', 1690000003.0);
INSERT INTO latest VALUES
    ('dusty', 'battery', 1700000300.5, 7, '{"percent":80,"low":false}'),
    ('dusty', 'clean', 1700000301.0, 8,
     '{"activity":"returning","raw":"goCharging","type":"auto","job":"j1","trigger":"app"}'),
    ('sandy', 'position', 1700000302.0, 9,
     '{"robot":{"x":-120,"y":44,"angle":-90,"valid":true},"docks":[{"x":1,"y":2,"angle":0,"valid":true}]}'),
    ('rusty', 'life_span', 1700000303.0, 10,
     '{"parts":[{"type":"brush","left":120,"total":300},{"type":"filter","left":5,"total":null}]}');
INSERT INTO history VALUES
    (1, 'dusty', 'battery', 1700000299.0, 5, '{"percent":81,"low":false}'),
    (2, 'dusty', 'battery', 1700000300.5, 7, '{"percent":80,"low":false}'),
    (5, 'rusty', 'errors', 1700000304.0, 11, '{"codes":[102,110]}');
INSERT INTO cleaning_logs VALUES
    ('dusty@1700000000@x', 'dusty', 'yna5xi', 'x', 'j1', 1700000000, 'auto', 1800, 25, 1,
     'https://portal.ecouser.net/api/pim/pic', '{"aiavoid":0,"content":["a","b"]}'),
    ('rusty@1699999000@atom', 'rusty', '126', 'atom', '', 1699999000, NULL, NULL, NULL, NULL,
     NULL, '{}');
