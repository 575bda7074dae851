/** The change of a waiting job that a form asks for. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { UpdateRequestSchema } from "slotd/v1";
import type { Job } from "slotd/web";

import { type Problems, reader } from "../submit/spec-form";
import { readInteger, readLabels, readTime, writeLabels, writeTime } from "../submit/values";

/** What can be changed, by the names that update_mask takes. */
export const CHANGES = ["queue", "priority", "schedule_time", "labels"] as const;

export type UpdateFields = Readonly<Record<(typeof CHANGES)[number], string>>;

/** What is in the fields at first. */
export function fieldsOf({ spec, scheduleTime }: Job): UpdateFields {
  return {
    queue: spec?.queue ?? "",
    priority: String(spec?.priority ?? 0),
    schedule_time: writeTime(scheduleTime),
    labels: writeLabels(spec?.labels ?? {}),
  };
}

/** Names what differs from the fields at first, and nothing else; and tells what can't be read. */
export function updateRequest(
  job: Job,
  fields: UpdateFields,
): { request: MessageInitShape<typeof UpdateRequestSchema>; problems: Problems } {
  const before = fieldsOf(job);
  const paths = CHANGES.filter((name) => fields[name].trim() !== before[name]);
  const problems = new Map<string, string>();
  for (const name of ["queue", "priority"] as const) {
    if (fields[name].trim() === "") {
      problems.set(name, "is needed");
    }
  }
  const read = reader(fields, problems);
  const spec = {
    queue: fields.queue.trim(),
    priority: read("priority", readInteger),
    scheduleTime: read("schedule_time", readTime),
    labels: read("labels", readLabels),
  };
  return { request: { id: job.id, spec, updateMask: { paths }, revision: job.revision }, problems };
}
