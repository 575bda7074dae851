/** What makes jobs at set times: all schedules, one of them (`?schedule=NAME`), or a form (`?edit=NAME`, `?new=1`). */

import { EmptyNote, ErrorNote, LoadingNote } from "../../components/notes";
import { Ago } from "../../components/time";
import { useData, usePolled } from "../../data/hooks";
import { Link, usePlace } from "../../shell/router";
import { ScheduleActions } from "./schedule-actions";
import { EditSchedule, ScheduleEditor } from "./schedule-editor";
import { EMPTY_SCHEDULE } from "./schedule-form";
import { ScheduleView } from "./schedule-view";
import { firing, paths } from "./schedule-texts";
import "./schedules.css";
import { Heads, numbers } from "../../components/heads";

const COLUMNS = ["Name", "Kind", "Fires", "Next", "Last", numbers("Fired"), numbers("Skipped"), "Actions"];

export function SchedulesPage() {
  const fields = new URLSearchParams(usePlace().search);
  const edited = fields.get("edit");
  const shown = fields.get("schedule");
  if (fields.has("new")) {
    return (
      <div className="page">
        <div className="page-head">
          <h1>New schedule</h1>
        </div>
        <ScheduleEditor initial={EMPTY_SCHEDULE} before={undefined} />
      </div>
    );
  }
  return edited ? <EditSchedule key={edited} name={edited} /> : <Schedules shown={shown} />;
}

function Schedules({ shown }: { shown: string | null }) {
  const { schedules } = useData();
  const { value, error } = usePolled((data) => data.schedules);
  const chosen = value?.find(({ name }) => name === shown);
  return (
    <div className="page">
      <div className="page-head">
        <h1>Schedules</h1>
        <Link className="button button-primary" href={paths.new}>
          New schedule
        </Link>
      </div>
      {error && <ErrorNote error={error} retry={schedules.refresh} />}
      {chosen && <ScheduleView schedule={chosen} />}
      {value && shown && !chosen && <EmptyNote title="There is no such schedule">{shown}</EmptyNote>}
      {!value && !error && <LoadingNote />}
      {value?.length === 0 && (
        <EmptyNote title="There are no schedules">A schedule makes a job each time that it fires, like cron.</EmptyNote>
      )}
      {value && value.length > 0 && (
        <section className="card table-scroll" aria-label="All schedules" tabIndex={0}>
          <table className="table">
            <Heads of={COLUMNS} />
            <tbody>
              {value.map((schedule) => (
                <tr key={schedule.name}>
                  <th scope="row">
                    <Link href={paths.show(schedule.name)} aria-current={schedule === chosen ? "true" : undefined}>
                      {schedule.name}
                    </Link>
                  </th>
                  <td>{schedule.spec?.kind}</td>
                  <td>{firing(schedule)}</td>
                  <td>
                    {schedule.paused ? <span className="chip">paused</span> : <Ago at={schedule.nextFireTimes[0]} />}
                    {!schedule.paused && schedule.nextFireTimes.length === 0 && (
                      <span className="soft">never again</span>
                    )}
                  </td>
                  <td>
                    {schedule.lastFireTime ? <Ago at={schedule.lastFireTime} /> : <span className="soft">not yet</span>}
                  </td>
                  <td className="number">{schedule.fireCount.toLocaleString("en")}</td>
                  <td className="number">{schedule.skipCount.toLocaleString("en")}</td>
                  <td>
                    <ScheduleActions schedule={schedule} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}
