/** Throughput, latency and depth over the last five minutes. */

import { count, length } from "../../components/format";
import { LineChart, type Series } from "../../components/line-chart";
import { type Quantiles, type Span } from "../../data/activity";
import { useActivity, useData, useNow, useStore } from "../../data/hooks";
import { chartSeconds, depthSeries } from "./depth-series";

// Seconds that make up one point.
const WIDTH = 5;

const DOTS = "1 4";
const SHORT = "4 4";
const LONG = "9 4";

export function ActivityCharts() {
  const { activity } = useData();
  const seconds = chartSeconds(useNow() - activity.since);
  const spans = useActivity(seconds, WIDTH);
  const times = spans.map(({ at }) => at);
  // Of what happened before the tab was opened nothing is known, and of the span in which it was not all.
  const known = <Value,>(value: (span: Span) => Value): (Value | undefined)[] =>
    spans.map((span) => (span.at >= activity.since ? value(span) : undefined));
  const rate = (of: "submitted" | "succeeded" | "failed" | "cancelled"): Series["values"] =>
    known((span) => span[of] / WIDTH);
  const time = (of: "wait" | "run", share: keyof Quantiles): Series["values"] => known((span) => span[of]?.[share]);
  return (
    <div className="overview-charts">
      <LineChart
        title="Throughput"
        times={times}
        spanMs={seconds * 1000}
        format={perSecond}
        empty="Counted from now on, every five seconds"
        series={[
          { name: "submitted", tone: "--text", dash: SHORT, values: rate("submitted") },
          { name: "succeeded", tone: "--succeeded", values: rate("succeeded") },
          { name: "failed", tone: "--failed", dash: LONG, values: rate("failed") },
          { name: "cancelled", tone: "--cancelled", dash: DOTS, values: rate("cancelled") },
        ]}
      />
      <LineChart
        title="Latency"
        times={times}
        spanMs={seconds * 1000}
        format={length}
        logarithmic
        empty="No job has started or ended in this time"
        series={[
          { name: "wait p50", tone: "--scheduled", values: time("wait", "p50") },
          { name: "wait p99", tone: "--scheduled", dash: DOTS, values: time("wait", "p99") },
          { name: "run p50", tone: "--running", dash: LONG, values: time("run", "p50") },
          { name: "run p99", tone: "--running", dash: SHORT, values: time("run", "p99") },
        ]}
      />
      <DepthChart seconds={seconds} />
    </div>
  );
}

function DepthChart({ seconds }: { seconds: number }) {
  const { times, values } = depthSeries(useStore(useData().depth), useNow(), seconds * 1000);
  return (
    <LineChart
      title="Jobs that wait or run"
      times={times}
      spanMs={seconds * 1000}
      format={count}
      empty="Counted from now on"
      series={[
        { name: "queued", tone: "--text", dash: SHORT, values: values("queued") },
        { name: "running", tone: "--running", values: values("running") },
        { name: "blocked", tone: "--blocked", dash: LONG, values: values("blocked") },
        { name: "scheduled", tone: "--scheduled", dash: DOTS, values: values("scheduled") },
      ]}
    />
  );
}

function perSecond(value: number): string {
  return `${count(Math.round(value * 10) / 10)}/s`;
}
