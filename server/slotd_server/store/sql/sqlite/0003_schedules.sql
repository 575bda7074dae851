-- Schedules. `due_time` is when one fires next, jitter included; what else its firings change is in `state`, JSON.
CREATE TABLE schedules (name TEXT PRIMARY KEY, due_time INTEGER, state TEXT NOT NULL) WITHOUT ROWID;

CREATE INDEX schedules_due ON schedules (due_time) WHERE due_time IS NOT NULL;

-- What somebody has set, JSON, with the payload of the jobs: firings do not rewrite it.
CREATE TABLE schedule_settings (name TEXT PRIMARY KEY, settings TEXT NOT NULL);
