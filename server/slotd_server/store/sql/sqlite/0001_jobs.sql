-- Identity of this file; a cursor carries it.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- The servers that had this file, one after the other, each with the revision that it found.
CREATE TABLE boots (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, start INTEGER NOT NULL);

-- A job as it is now. What queries look at has columns; the rest is in `snapshot`, MessagePack, the very bytes that its last
-- event has.
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    kind TEXT NOT NULL,
    priority INTEGER NOT NULL,
    state INTEGER NOT NULL,
    owner TEXT NOT NULL,
    due_time INTEGER,
    revision INTEGER NOT NULL,
    snapshot BLOB NOT NULL,
    result_type TEXT,
    result BLOB
);

-- Claiming: for one kind in one queue the next job is the first entry. 3 is QUEUED.
CREATE INDEX jobs_queued ON jobs (queue, kind, priority DESC, seq) WHERE state = 3;

-- Lists and counts by state. QUEUED, RUNNING and SUCCEEDED (3, 4, 5), which every job goes through, are left out to keep
-- that cheap: the first two are in indexes of their own, and most jobs of most stores are the third.
CREATE INDEX jobs_by_state ON jobs (state, seq) WHERE state <> 3 AND state <> 4 AND state <> 5;

CREATE INDEX jobs_running ON jobs (seq) WHERE state = 4;

-- What has an owner without running: the function of its last attempt outlives that attempt. Few do.
CREATE INDEX jobs_lingering ON jobs (seq) WHERE state <> 4 AND owner <> '';

CREATE INDEX jobs_due ON jobs (due_time) WHERE due_time IS NOT NULL;

-- What never changes of a job, kept for as long as an event tells of it. `gone` is the revision that deleted it.
CREATE TABLE specs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    spec TEXT NOT NULL,
    request_id TEXT,
    payload_type TEXT,
    payload BLOB,
    gone INTEGER
);

-- `last` is the revision of the job's event before, 0 where there is none: from a job's newest event its others are found
-- without an index, which every event would have to pay for.
CREATE TABLE events (
    revision INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    type INTEGER NOT NULL,
    previous_state INTEGER,
    time INTEGER NOT NULL,
    minor INTEGER NOT NULL,
    last INTEGER NOT NULL,
    snapshot BLOB NOT NULL,
    result_type TEXT,
    result BLOB
);

CREATE TABLE outputs (
    seq INTEGER NOT NULL,
    start INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (seq, start)
);

-- `expire_time` is NULL while the job is there.
CREATE TABLE requests (
    request_id TEXT PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    job_id TEXT NOT NULL,
    expire_time INTEGER
) WITHOUT ROWID;

CREATE INDEX requests_expiring ON requests (expire_time) WHERE expire_time IS NOT NULL;

CREATE TABLE queues (name TEXT PRIMARY KEY, settings TEXT NOT NULL) WITHOUT ROWID;

-- domain.queue.Counters, by queue and kind.
CREATE TABLE counters (
    queue TEXT NOT NULL,
    kind TEXT NOT NULL,
    scheduled INTEGER NOT NULL,
    blocked INTEGER NOT NULL,
    queued INTEGER NOT NULL,
    running INTEGER NOT NULL,
    succeeded INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    total_succeeded INTEGER NOT NULL,
    total_failed INTEGER NOT NULL,
    total_cancelled INTEGER NOT NULL,
    submitted INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    started INTEGER NOT NULL,
    retried INTEGER NOT NULL,
    PRIMARY KEY (queue, kind)
) WITHOUT ROWID;
