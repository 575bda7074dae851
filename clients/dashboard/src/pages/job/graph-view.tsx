/** A job among those that it waits for and those that wait for it: as a picture and as lists. */

import { type ReactNode, useEffect, useId, useMemo, useRef, useState } from "react";
import { type Job, JobState } from "slotd/web";

import { plural, shortId } from "../../components/format";
import { ErrorNote, LoadingNote } from "../../components/notes";
import { StateBadge } from "../../components/state-badge";
import { ALL_JOBS, searchFromQuery } from "../../data/job-query";
import { jobPath, Link } from "../../shell/router";
import { layOut, type Spot } from "./graph-layout";
import type { Edge, GraphNow } from "./job-graph";

const WIDTH = 184;
const HEIGHT = 48;
const ACROSS = WIDTH + 48;
const DOWN = HEIGHT + 12;

interface Properties {
  id: string;
  graph: GraphNow;
  /** Has more of it loaded. */
  showMore: () => void;
  /** Has it loaded again after a failure. */
  retry: () => void;
}

export function GraphView({ id, graph, showMore, retry }: Properties) {
  const heading = useId();
  return (
    <section className="card" aria-labelledby={heading}>
      <div className="card-head">
        <h2 id={heading}>Dependencies</h2>
        {graph.edges.length > 0 && <span className="soft small">{plural(graph.jobs.size, "job")}</span>}
        {graph.more && (
          <button type="button" className="button" onClick={showMore}>
            Show more
          </button>
        )}
      </div>
      <Content id={id} graph={graph} />
      {graph.error && <ErrorNote error={graph.error} retry={retry} />}
    </section>
  );
}

function Content({ id, graph }: { id: string; graph: GraphNow }) {
  const [listed, setListed] = useState(false);
  if (graph.loading) {
    return <LoadingNote />;
  }
  if (graph.edges.length === 0) {
    return <p className="card-body soft">It depends on nothing, and nothing depends on it.</p>;
  }
  return (
    <>
      <Picture id={id} graph={graph} />
      <details className="card-body" onToggle={(event) => setListed(event.currentTarget.open)}>
        <summary>As lists</summary>
        {listed && <Lists id={id} graph={graph} />}
      </details>
    </>
  );
}

function Picture({ id, graph: { jobs, groups, edges } }: { id: string; graph: GraphNow }) {
  const spots = useMemo(() => {
    const nodes = [...Array.from(jobs.keys(), (job) => `jobs/${job}`), ...groups.map((name) => `groups/${name}`)];
    return layOut(nodes, edges);
  }, [jobs, groups, edges]);
  const all = [...spots.values()];
  const width = (Math.max(...all.map(({ column }) => column)) + 1) * ACROSS - (ACROSS - WIDTH);
  const height = (Math.max(...all.map(({ row }) => row)) + 1) * DOWN - (DOWN - HEIGHT);
  const column = spots.get(`jobs/${id}`)?.column ?? 0;
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (box.current) {
      box.current.scrollLeft = column * ACROSS - (box.current.clientWidth - WIDTH) / 2;
    }
  }, [column]);
  const inOrder = [...spots].sort(([, a], [, b]) => a.column - b.column || a.row - b.row);
  return (
    <div className="job-graph" ref={box} role="group" aria-label="Jobs in the order of their dependencies">
      <div style={{ width, height }}>
        <svg width={width} height={height} aria-hidden="true">
          {edges.map((edge) => (
            <path key={edge.join(" ")} d={curve(edge, spots)} />
          ))}
        </svg>
        {inOrder.map(([node, spot]) => (
          <span
            key={node}
            className={node === `jobs/${id}` ? "job-node job-node-here" : "job-node"}
            style={{ left: spot.column * ACROSS, top: spot.row * DOWN, width: WIDTH, height: HEIGHT }}
          >
            <Target target={node} jobs={jobs} isHere={node === `jobs/${id}`} />
          </span>
        ))}
      </div>
    </div>
  );
}

/** From the right side of a node to the left side of another. */
function curve([before, after]: Edge, spots: ReadonlyMap<string, Spot>): string {
  const from = spots.get(before);
  const to = spots.get(after);
  if (!from || !to) {
    return "";
  }
  const [x, y] = [from.column * ACROSS + WIDTH, from.row * DOWN + HEIGHT / 2];
  const [endX, endY] = [to.column * ACROSS, to.row * DOWN + HEIGHT / 2];
  const bend = (ACROSS - WIDTH) / 2;
  return `M${x} ${y}C${x + bend} ${y} ${endX - bend} ${endY} ${endX} ${endY}`;
}

function Target({ target, jobs, isHere }: { target: string; jobs: GraphNow["jobs"]; isHere: boolean }): ReactNode {
  if (target.startsWith("groups/")) {
    const group = target.slice("groups/".length);
    return (
      <Link className="truncate" href={"/jobs" + searchFromQuery({ ...ALL_JOBS, groups: [group] })}>
        <span className="soft">group</span> {group}
      </Link>
    );
  }
  const id = target.slice("jobs/".length);
  const job = jobs.get(id);
  return (
    <Link className="truncate" href={jobPath(id)} aria-current={isHere ? "page" : undefined}>
      <span className="truncate">{job?.spec?.kind ?? "deleted job"}</span>
      <span className="small soft truncate">
        {job && <StateBadge state={job.state} stopping={job.state === JobState.RUNNING && job.cancelRequested} />}{" "}
        <span className="mono">{shortId(id)}</span>
      </span>
    </Link>
  );
}

function Lists({ id, graph: { jobs, edges } }: { id: string; graph: GraphNow }) {
  const here = `jobs/${id}`;
  const before = edges.filter(([, after]) => after === here).map(([target]) => target);
  const after = edges.filter(([first]) => first === here).map(([, target]) => target);
  return (
    <div className="job-lists">
      <TargetList title="It depends on" targets={before} jobs={jobs} />
      <TargetList title="These depend on it" targets={after} jobs={jobs} />
    </div>
  );
}

function TargetList({ title, targets, jobs }: { title: string; targets: readonly string[]; jobs: GraphNow["jobs"] }) {
  return (
    <div>
      <h3>{title}</h3>
      <ul>
        {targets.length === 0 && <li className="soft">Nothing</li>}
        {targets.map((target) => (
          <li key={target}>
            <Target target={target} jobs={jobs} isHere={false} />
          </li>
        ))}
      </ul>
    </div>
  );
}

/** When the last of the jobs that a job itself depends on ended; undefined unless all are known to have. */
export function metAt(job: Job, jobs: GraphNow["jobs"]): number | undefined {
  const ends = (job.spec?.dependsOn ?? []).map(({ jobId }) => jobs.get(jobId)?.endTime);
  return ends.length === 0 || ends.includes(undefined)
    ? undefined
    : Math.max(...ends.map((end) => Number(end?.seconds) * 1000 + (end?.nanos ?? 0) / 1e6));
}
