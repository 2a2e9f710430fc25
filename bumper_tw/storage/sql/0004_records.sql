-- Small things that people and robots leave here, and that are all in memory while the server
-- runs: profiles, settings, shares...  A shelf has the records of one kind, each a JSON value.

CREATE TABLE records (
    place INTEGER PRIMARY KEY,
    shelf TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (shelf, key)
) STRICT;
