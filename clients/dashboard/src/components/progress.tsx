/** How far a job has come, in its own words and units. */

import type { Progress } from "slotd/v1";

import { shortCount } from "./format";

export function ProgressBar({ progress }: { progress: Progress | undefined }) {
  if (!progress) {
    return null;
  }
  const { done, total, message } = progress;
  const share = total > 0n ? Math.min(1, Number(done) / Number(total)) : undefined;
  const text = share === undefined ? shortCount(done) : `${Math.floor(share * 100)}%`;
  return (
    <span className="progress" title={message}>
      <progress value={share} aria-label={message || "Progress"} />
      <span className="progress-text">{text}</span>
    </span>
  );
}
