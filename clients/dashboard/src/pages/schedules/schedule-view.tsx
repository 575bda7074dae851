/** One schedule with all there is to say of it. */

import type { ReactNode } from "react";
import type { Schedule } from "slotd/v1";

import { DetailHead } from "../../components/detail-head";
import { count, plural, shortId } from "../../components/format";
import { Ago, Time } from "../../components/time";
import { ALL_JOBS, searchFromQuery } from "../../data/job-query";
import { jobPath, Link } from "../../shell/router";
import { PayloadView } from "../job/payload-view";
import { specFacts } from "../job/spec-facts";
import { Facts } from "../job/facts";
import { writeLength } from "../submit/values";
import { OVERLAPS } from "./schedule-form";
import { firing, paths } from "./schedule-texts";

export function ScheduleView({ schedule }: { schedule: Schedule }) {
  const { name, spec } = schedule;
  return (
    <section className="card" aria-label={`Schedule ${name}`}>
      <DetailHead
        name={name}
        jobs={"/jobs" + searchFromQuery({ ...ALL_JOBS, schedules: [name] })}
        edit={paths.edit(name)}
        all={paths.all}
      />
      <div className="card-body schedules-view">
        <Facts facts={scheduleFacts(schedule)} />
        {spec && <Facts facts={[["Kind", spec.kind], ...specFacts(spec)]} />}
        <div>
          <h3>Next firings</h3>
          <ol>
            {schedule.nextFireTimes.map((time) => (
              <li key={`${time.seconds} ${time.nanos}`}>
                <Time at={time} />{" "}
                <span className="soft">
                  (<Ago at={time} />)
                </span>
              </li>
            ))}
          </ol>
          {schedule.nextFireTimes.length === 0 && (
            <p className="soft">{schedule.paused ? "None while it is paused" : "None"}</p>
          )}
        </div>
        <div>
          <h3>Newest jobs</h3>
          <ol>
            {schedule.recentJobIds.map((id) => (
              <li key={id}>
                <Link className="mono" href={jobPath(id)}>
                  {shortId(id)}
                </Link>
              </li>
            ))}
          </ol>
          {schedule.recentJobIds.length === 0 && <p className="soft">None yet</p>}
        </div>
      </div>
      {spec?.payload && <PayloadView title="Payload" payload={spec.payload} fileName={name.replaceAll("/", "-")} />}
    </section>
  );
}

function scheduleFacts(schedule: Schedule): [string, ReactNode][] {
  const { overlap, catchUpWindow, jitter, startTime, endTime, createTime, updateTime, lastFireTime } = schedule;
  const policy = OVERLAPS.find(([value]) => value === overlap)?.[1] ?? OVERLAPS[0]?.[1];
  return [
    ["Fires", schedule.paused ? `${firing(schedule)}, but is paused` : firing(schedule)],
    ["Fired", `${plural(schedule.fireCount, "time")}, skipped ${count(schedule.skipCount)}`],
    ["Last", lastFireTime && <Ago at={lastFireTime} />],
    ["While one runs", policy],
    ["Catch-up window", writeLength(catchUpWindow) || "1h"],
    ["Jitter", writeLength(jitter)],
    ["Not before", startTime && <Time at={startTime} />],
    ["Not after", endTime && <Time at={endTime} />],
    ["Made", createTime && <Time at={createTime} />],
    ["Changed", updateTime && <Time at={updateTime} />],
    ["Revision", String(schedule.revision)],
  ];
}
