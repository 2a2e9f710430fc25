-- What each robot brought when it first logged in: a salted hash, or the kind of what cannot
-- be compared.  It outlives the record of a robot until somebody forgets it.

CREATE TABLE robot_secrets (
    place INTEGER PRIMARY KEY,
    did TEXT NOT NULL UNIQUE,
    secret TEXT NOT NULL
) STRICT;
