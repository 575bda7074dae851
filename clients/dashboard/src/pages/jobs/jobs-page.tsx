/** All jobs: filtered, live, and changed many at once. */

import { useCallback, useEffect, useMemo, useState } from "react";
import type { Job } from "slotd/web";

import { plural } from "../../components/format";
import { Icon } from "../../components/icon";
import { EmptyNote, ErrorNote, LoadingNote } from "../../components/notes";
import { useJobList } from "../../data/hooks";
import { ALL_JOBS, isFiltered, type JobQuery, queryFromSearch, searchFromQuery } from "../../data/job-query";
import { Link, navigate, usePlace } from "../../shell/router";
import { BulkBar } from "./bulk-bar";
import { JobFilters } from "./job-filters";
import { JobTable } from "./job-table";
import "./jobs.css";

export function JobsPage() {
  const { search } = usePlace();
  const query = useMemo(() => queryFromSearch(search), [search]);
  return (
    <div className="page jobs-page">
      <div className="page-head">
        <h1>Jobs</h1>
        <Link className="button button-primary" href="/submit">
          <Icon name="submit" /> Submit a job
        </Link>
      </div>
      <JobFilters query={query} change={(changed) => navigate(`/jobs${searchFromQuery(changed)}`, { replace: true })} />
      <Results key={searchFromQuery(query)} query={query} />
    </div>
  );
}

function Results({ query }: { query: JobQuery }) {
  const { list, rows } = useJobList(query);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [reading, setReading] = useState(false);
  const chosenJobs = useMemo(() => rows.jobs.filter(({ id }) => chosen.has(id)), [rows.jobs, chosen]);
  const held = reading || chosenJobs.length > 0;
  useEffect(() => list.hold(held), [list, held]);
  // The same functions each time: rows that did not change are not drawn again.
  const toggle = useCallback((job: Job) => setChosen((before) => toggled(before, job.id)), []);
  const clear = useCallback(() => setChosen(new Set()), []);
  const loadMore = useCallback(() => void list.loadMore(), [list]);

  if (rows.jobs.length === 0) {
    return rows.error ? (
      <ErrorNote error={rows.error} retry={() => void list.refresh()} />
    ) : rows.loading ? (
      <LoadingNote />
    ) : (
      <NoJobs query={query} />
    );
  }
  return (
    <>
      <div className="jobs-above">
        {rows.fresh > 0 && (
          <button
            type="button"
            className="button button-primary jobs-fresh"
            onClick={() => {
              clear();
              scrollTo(0, 0);
              void list.refresh();
            }}
          >
            <Icon name="up" />
            {rows.fresh >= 1000 ? "1,000 or more new jobs" : plural(rows.fresh, "new job")}
          </button>
        )}
        {chosenJobs.length > 0 && (
          <BulkBar
            query={query}
            chosen={chosenJobs}
            allLoaded={chosenJobs.length === rows.jobs.length}
            more={rows.more}
            clear={clear}
          />
        )}
      </div>
      <JobTable
        jobs={rows.jobs}
        more={rows.more}
        chosen={chosen}
        toggle={toggle}
        toggleAll={() =>
          chosenJobs.length === rows.jobs.length ? clear() : setChosen(new Set(rows.jobs.map(({ id }) => id)))
        }
        clear={clear}
        setReading={setReading}
        loadMore={loadMore}
      />
      {rows.error ? (
        <ErrorNote error={rows.error} retry={loadMore} />
      ) : (
        <p className="jobs-end soft small">
          {rows.full
            ? `${plural(rows.jobs.length, "job")} shown, as many as a table holds: narrow the filter to see others.`
            : rows.more
              ? "Loading more"
              : plural(rows.jobs.length, "job")}
        </p>
      )}
    </>
  );
}

function NoJobs({ query }: { query: JobQuery }) {
  return isFiltered(query) ? (
    <EmptyNote title="No job matches">
      <Link href={`/jobs${searchFromQuery({ ...ALL_JOBS, oldestFirst: query.oldestFirst })}`}>Show all jobs</Link>
    </EmptyNote>
  ) : (
    <EmptyNote title="There are no jobs yet">
      They appear here as they are submitted: <Link href="/submit">submit one</Link>, or{" "}
      <code>slotd submit KIND JSON</code>.
    </EmptyNote>
  );
}

function toggled(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const changed = new Set(ids);
  if (!changed.delete(id)) {
    changed.add(id);
  }
  return changed;
}
