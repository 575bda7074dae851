/** What a job has written: its end, which goes on as it writes, or any other part of it. */

import { memo, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import { isTerminal, type Job } from "slotd/web";

import { bytes, count } from "../../components/format";
import { ErrorNote } from "../../components/notes";
import { saveFile } from "../../components/save-file";
import { useData, useStore } from "../../data/hooks";
import { attempt } from "../../shell/toasts";
import { OutputFollower } from "./output-follower";

// The document holds so many lines at most, in blocks: of these only the last is drawn anew as lines come.
const SHOWN = 4_000;
const BLOCK = 200;

// So near to its end one still follows.
const NEAR_PX = 24;

export function OutputView({ job }: { job: Job }) {
  const heading = useId();
  const { client } = useData();
  const follower = useMemo(() => new OutputFollower(client, job.id), [client, job.id]);
  const output = useStore(follower);
  const size = Number(job.outputSize);
  useEffect(() => follower.grow(size), [follower, size]);
  const save = async (): Promise<void> => {
    const pieces: BlobPart[] = [];
    for await (const data of client.readOutput(job.id)) {
      pieces.push(data as Uint8Array<ArrayBuffer>);
    }
    saveFile(`${job.id}.txt`, pieces);
  };
  return (
    <section className="card" aria-labelledby={heading}>
      <div className="card-head">
        <h2 id={heading}>Output</h2>
        <span className="soft small">{bytes(size)}</span>
        {size > 0 && (
          <button type="button" className="button" onClick={() => void attempt("Download", save, "Downloaded")}>
            Download
          </button>
        )}
      </div>
      {output.start > 0 && (
        <p className="card-body row">
          The first {bytes(output.start)} are left out here.
          <button type="button" className="button" onClick={() => follower.readAll()}>
            Show from the beginning
          </button>
        </p>
      )}
      {size === 0 && <p className="card-body soft">{isTerminal(job) ? "It wrote nothing." : "Nothing yet."}</p>}
      {size > 0 && <Lines key={output.start} lines={output.lines} total={output.lines.count} />}
      {output.error && <ErrorNote error={output.error} retry={follower.retry} />}
      {job.outputTruncated && <p className="card-body soft">It wrote more than is kept; the rest is lost.</p>}
    </section>
  );
}

interface LinesProperties {
  lines: { slice: (start: number, end: number) => string[] };
  total: number;
}

function Lines({ lines, total }: LinesProperties) {
  // The first block shown where one reads; undefined at the end, which moves.
  const [reading, setReading] = useState<number>();
  const [following, setFollowing] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const blocks = Math.ceil(total / BLOCK);
  const most = SHOWN / BLOCK;
  const end = Math.min(blocks, (reading ?? Infinity) + most);
  const start = reading ?? Math.max(0, blocks - most);
  useLayoutEffect(() => {
    if (following && box.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [following, total]);
  const scrolled = (): void => {
    const { current } = box;
    if (current) {
      const atEnd = current.scrollHeight - current.scrollTop - current.clientHeight < NEAR_PX;
      const follows = atEnd && end === blocks;
      setFollowing(follows);
      setReading(follows ? undefined : start);
    }
  };
  // When other blocks are shown, the one that was at the edge stays where it was.
  const edge = useRef<{ block: number; side: "start" | "end" }>(undefined);
  useLayoutEffect(() => {
    if (edge.current) {
      const { block, side } = edge.current;
      box.current?.querySelector(`[data-block="${block}"]`)?.scrollIntoView({ block: side });
      edge.current = undefined;
    }
  }, [start]);
  const earlier = (): void => {
    edge.current = { block: start, side: "start" };
    setFollowing(false);
    setReading(Math.max(0, start - most / 2));
  };
  const later = (): void => {
    edge.current = { block: end - 1, side: "end" };
    setReading(start + most / 2);
  };
  return (
    <>
      <div
        className="job-output"
        ref={box}
        onScroll={scrolled}
        tabIndex={0}
        role="region"
        aria-label="Lines of the output"
      >
        {start > 0 && (
          <button type="button" className="button" onClick={earlier}>
            Earlier lines
          </button>
        )}
        {Array.from({ length: end - start }, (_, index) => {
          const block = start + index;
          return <Block key={block} number={block} text={lines.slice(block * BLOCK, (block + 1) * BLOCK).join("\n")} />;
        })}
        {end < blocks && (
          <button type="button" className="button" onClick={later}>
            Later lines
          </button>
        )}
      </div>
      <p className="card-body row small soft job-output-foot">
        Lines {count(start * BLOCK + 1)} to {count(Math.min(total, end * BLOCK))} of {count(total)}
        {!following && (
          <button
            type="button"
            className="button"
            onClick={() => {
              setReading(undefined);
              setFollowing(true);
            }}
          >
            Go to the end
          </button>
        )}
      </p>
    </>
  );
}

const Block = memo(function Block({ number, text }: { number: number; text: string }) {
  return <pre data-block={number}>{text}</pre>;
});
