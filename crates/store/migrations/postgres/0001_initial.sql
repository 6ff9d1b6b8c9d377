-- Times are milliseconds since 1970-01-01T00:00:00Z, hashes 32 bytes.
-- No foreign key leads from records or uses to what they refer to: each would lock the row referred to, per row written.

-- One boot of one server.
CREATE TABLE chain (
    chain     UUID PRIMARY KEY,
    opened_at BIGINT NOT NULL
);

CREATE TABLE record (
    chain     UUID NOT NULL,
    seq       BIGINT NOT NULL,
    decision  UUID NOT NULL,
    time      BIGINT NOT NULL,
    body_hash BYTEA NOT NULL CHECK (length(body_hash) = 32),
    hash      BYTEA NOT NULL CHECK (length(hash) = 32),
    body      BYTEA,
    PRIMARY KEY (chain, seq),
    CONSTRAINT record_decision UNIQUE (decision)
);

CREATE INDEX record_with_body ON record (time) WHERE body IS NOT NULL;

-- That a use is taken once, whichever replicas want it at the same moment, is the primary key's doing.
CREATE TABLE token_use (
    use_key    BYTEA NOT NULL CHECK (length(use_key) = 32),
    ordinal    BIGINT NOT NULL,
    request    BYTEA NOT NULL CHECK (length(request) = 32),
    decision   UUID NOT NULL,
    at         BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    sealed     BYTEA NOT NULL,
    PRIMARY KEY (use_key, ordinal)
);

CREATE INDEX token_use_expiry ON token_use (expires_at);

CREATE TABLE checkpoint (
    id        BIGSERIAL PRIMARY KEY,
    time      BIGINT NOT NULL,
    statement TEXT NOT NULL
);

-- Secret halves are wrapped by the key-encryption key, which is not in this database.
CREATE TABLE wrapped_key (
    id           TEXT PRIMARY KEY,
    purpose      TEXT NOT NULL,
    generation   BIGINT NOT NULL,
    algorithm    TEXT,
    public       TEXT,
    wrapped      BYTEA NOT NULL,
    created_at   BIGINT NOT NULL,
    publish_from BIGINT NOT NULL,
    use_from     BIGINT NOT NULL,
    retire_at    BIGINT,
    remove_at    BIGINT,
    CONSTRAINT wrapped_key_generation UNIQUE (purpose, generation)
);

CREATE TABLE revocation (
    kind       TEXT NOT NULL,
    issuer     TEXT NOT NULL,
    value      TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    forget_at  BIGINT NOT NULL,
    PRIMARY KEY (kind, issuer, value)
);

CREATE TABLE policy (
    hash     BYTEA PRIMARY KEY CHECK (length(hash) = 32),
    document TEXT NOT NULL
);

CREATE TABLE key_set (
    issuer   TEXT NOT NULL,
    origin   TEXT NOT NULL,
    document TEXT NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (issuer, origin)
);

CREATE TABLE mark (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Counted up by every health check: only a commit tells whether commits get through (to a disk, a standby, a quorum).
CREATE TABLE pulse (
    id    BIGINT PRIMARY KEY,
    beats BIGINT NOT NULL
);

INSERT INTO pulse (id, beats) VALUES (1, 0);
