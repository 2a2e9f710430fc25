-- The first shape of the database.
--
-- Times are seconds since the epoch.  "place" is the order in which things became known.
-- Robots, reports and cleaning jobs do not refer to one another: a robot may report before
-- it is remembered, and its history outlives it until somebody forgets it.

CREATE TABLE devices (
    place INTEGER PRIMARY KEY,
    did TEXT NOT NULL UNIQUE,
    model TEXT NOT NULL,
    resource TEXT NOT NULL,
    name TEXT NOT NULL,
    company TEXT NOT NULL,
    kind TEXT NOT NULL,
    nick TEXT NOT NULL,
    firmware TEXT NOT NULL,
    bound_at REAL NOT NULL,
    home TEXT NOT NULL
) STRICT;

-- A user without a password was never given one.
CREATE TABLE users (
    place INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    created_at REAL NOT NULL,
    password TEXT
) STRICT;

CREATE TABLE tokens (
    digest TEXT NOT NULL PRIMARY KEY,
    uid TEXT NOT NULL,
    purpose TEXT NOT NULL,
    expires_at REAL NOT NULL,
    client TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX tokens_of_user ON tokens (uid);

CREATE TABLE homes (
    place INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    uid TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at REAL NOT NULL
) STRICT;

CREATE INDEX homes_of_user ON homes (uid);

-- The newest report of each kind; never pruned, so that a start knows every robot.
CREATE TABLE latest (
    did TEXT NOT NULL,
    kind TEXT NOT NULL,
    at REAL NOT NULL,
    number INTEGER NOT NULL,
    reading TEXT NOT NULL,
    PRIMARY KEY (did, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    did TEXT NOT NULL,
    kind TEXT NOT NULL,
    at REAL NOT NULL,
    number INTEGER NOT NULL,
    reading TEXT NOT NULL
) STRICT;

CREATE INDEX history_of_kind ON history (did, kind, at);
CREATE INDEX history_of_robot ON history (did, at);
CREATE INDEX history_by_age ON history (at);

CREATE TABLE cleaning_logs (
    id TEXT NOT NULL PRIMARY KEY,
    did TEXT NOT NULL,
    model TEXT NOT NULL,
    resource TEXT NOT NULL,
    job TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    type TEXT,
    duration INTEGER,
    area INTEGER,
    stop_reason INTEGER,
    image_url TEXT,
    extras TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX cleaning_logs_of_robot ON cleaning_logs (did, started_at, id);
