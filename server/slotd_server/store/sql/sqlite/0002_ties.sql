-- Claiming goes by rank: falling priority, then the turn of the job's key (domain.job.rank). Jobs from before have turn 0.
DROP INDEX jobs_queued;
ALTER TABLE jobs RENAME COLUMN priority TO rank;
UPDATE jobs SET rank = -rank * 1099511627776 WHERE rank <> 0;
CREATE INDEX jobs_queued ON jobs (queue, kind, rank, seq) WHERE state = 3;

-- Labels that Update has set; those of other jobs are in their spec.
CREATE TABLE relabelled (seq INTEGER PRIMARY KEY, labels TEXT NOT NULL);

-- Who depends on what: `target` is jobs/ID or groups/NAME, `position` where it stands in the spec. An edge that is met
-- stays met; it is `live` until the job that depends has ended.
CREATE TABLE edges (
    target TEXT NOT NULL,
    seq INTEGER NOT NULL,
    position INTEGER NOT NULL,
    met INTEGER NOT NULL,
    live INTEGER NOT NULL,
    PRIMARY KEY (target, seq)
) WITHOUT ROWID;

CREATE INDEX edges_of ON edges (seq, met, position);

-- Claims of the jobs in the line for resources, holding or waiting. A claim on a/b has its `own` row at path a/b, and
-- others at a/* and *, so that a claim on all below a path finds it by that path.
CREATE TABLE claims (
    path TEXT NOT NULL,
    own INTEGER NOT NULL,
    exclusive INTEGER NOT NULL,
    held INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (path, own, exclusive, held, seq)
) WITHOUT ROWID;

CREATE INDEX claims_of ON claims (seq);

-- Each job that waits in that line, with the one job that it is looked at again after.
CREATE TABLE behind (seq INTEGER PRIMARY KEY, ahead INTEGER NOT NULL);

CREATE INDEX behind_ahead ON behind (ahead, seq);

-- Per queue and key: how many jobs have one of its slots, and the turn given last. Key '' has the turn started last.
CREATE TABLE keys (
    queue TEXT NOT NULL,
    key TEXT NOT NULL,
    active INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    PRIMARY KEY (queue, key)
) WITHOUT ROWID;

CREATE TABLE key_waits (
    queue TEXT NOT NULL,
    key TEXT NOT NULL,
    rank INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (queue, key, rank, seq)
) WITHOUT ROWID;

-- The theoretical arrival time of the next start, for each queue with a rate limit.
CREATE TABLE rates (queue TEXT PRIMARY KEY, arrival INTEGER NOT NULL) WITHOUT ROWID;

-- Which jobs belong to groups/NAME or schedules/NAME.
CREATE TABLE members (name TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (name, seq)) WITHOUT ROWID;

-- Jobs of each group by state, in the order of the states; `awaited` once any job has depended on it.
CREATE TABLE groups (
    name TEXT PRIMARY KEY,
    scheduled INTEGER NOT NULL,
    blocked INTEGER NOT NULL,
    queued INTEGER NOT NULL,
    running INTEGER NOT NULL,
    succeeded INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    awaited INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE uniques (key TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;

-- What could not be carried out in one change: jobs that depend on a target, from behind a seq on; without a target, one
-- job that may be able to go on.
CREATE TABLE unsettled (target TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (target, seq)) WITHOUT ROWID;

-- Ended jobs of the queues that keep a number of them, in the order in which they ended.
CREATE TABLE retained (
    queue TEXT NOT NULL,
    revision INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (queue, revision)
) WITHOUT ROWID;
