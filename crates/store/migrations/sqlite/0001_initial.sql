-- Times are milliseconds since 1970-01-01T00:00:00Z. Identities are 16-byte UUIDs, hashes 32 bytes.

-- One boot of one server; `id` is the order of opening.
CREATE TABLE chain (
    id    INTEGER PRIMARY KEY,
    chain BLOB NOT NULL UNIQUE CHECK (length(chain) = 16)
) STRICT;

-- `position` is the order of commit over all chains. Records are never deleted, so it only ever grows; uses and the
-- writer's index of them rely on that. The body comes last so that the rest is read without it.
CREATE TABLE record (
    position  INTEGER PRIMARY KEY,
    chain     INTEGER NOT NULL REFERENCES chain (id),
    seq       INTEGER NOT NULL,
    decision  BLOB NOT NULL UNIQUE CHECK (length(decision) = 16),
    time      INTEGER NOT NULL,
    body_hash BLOB NOT NULL CHECK (length(body_hash) = 32),
    hash      BLOB NOT NULL CHECK (length(hash) = 32),
    body      BLOB,
    UNIQUE (chain, seq)
) STRICT;

CREATE INDEX record_with_body ON record (time) WHERE body IS NOT NULL;

-- Guards against slips, not against whoever owns the file: the chain of hashes is for that.
CREATE TRIGGER record_is_kept BEFORE DELETE ON record
BEGIN
    SELECT RAISE(ABORT, 'records are never deleted');
END;

CREATE TRIGGER record_is_unchanged BEFORE UPDATE ON record
WHEN new.body IS NOT NULL OR new.position <> old.position OR new.chain <> old.chain OR new.seq <> old.seq
    OR new.decision <> old.decision OR new.time <> old.time OR new.body_hash <> old.body_hash OR new.hash <> old.hash
BEGIN
    SELECT RAISE(ABORT, 'a record loses its body and nothing else');
END;

-- Lies in the order of arrival, like the records, so a commit writes few pages; the writer finds the uses of a token
-- through an index that it keeps in memory (src/sqlite/uses.rs).
CREATE TABLE token_use (
    record     INTEGER PRIMARY KEY REFERENCES record (position),
    use_key    BLOB NOT NULL CHECK (length(use_key) = 32),
    ordinal    INTEGER NOT NULL,
    request    BLOB NOT NULL CHECK (length(request) = 32),
    expires_at INTEGER NOT NULL,
    sealed     BLOB NOT NULL
) STRICT;

CREATE INDEX token_use_expiry ON token_use (expires_at);

CREATE TABLE checkpoint (
    id        INTEGER PRIMARY KEY,
    time      INTEGER NOT NULL,
    statement TEXT NOT NULL
) STRICT;

-- Secret halves are wrapped by the key-encryption key, which is not in this file.
CREATE TABLE wrapped_key (
    id           TEXT PRIMARY KEY,
    purpose      TEXT NOT NULL,
    generation   INTEGER NOT NULL,
    algorithm    TEXT,
    public       TEXT,
    wrapped      BLOB NOT NULL,
    created_at   INTEGER NOT NULL,
    publish_from INTEGER NOT NULL,
    use_from     INTEGER NOT NULL,
    retire_at    INTEGER,
    remove_at    INTEGER,
    UNIQUE (purpose, generation)
) STRICT;

CREATE TABLE revocation (
    kind       TEXT NOT NULL,
    issuer     TEXT NOT NULL,
    value      TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    forget_at  INTEGER NOT NULL,
    PRIMARY KEY (kind, issuer, value)
) STRICT;

CREATE TABLE policy (
    hash     BLOB PRIMARY KEY CHECK (length(hash) = 32),
    document TEXT NOT NULL
) STRICT;

CREATE TABLE key_set (
    issuer   TEXT NOT NULL,
    origin   TEXT NOT NULL,
    document TEXT NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (issuer, origin)
) STRICT;

CREATE TABLE mark (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- Rewritten by every health check, with as many pages as a large record takes: the only way to learn whether the disk
-- takes writes is to write.
CREATE TABLE pulse (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    weight BLOB NOT NULL
) STRICT;

INSERT INTO pulse (id, weight) VALUES (1, x'');
