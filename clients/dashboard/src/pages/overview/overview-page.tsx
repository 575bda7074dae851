/** How the service does: numbers, charts, who holds the slots, what has failed lately. */

import { ActivityCharts } from "./activity-charts";
import { FailuresCard } from "./failures-card";
import { Headline } from "./headline";
import { SlotsCard } from "./slots-card";
import "./overview.css";

export function OverviewPage() {
  return (
    <div className="page">
      <div className="page-head">
        <h1>Overview</h1>
      </div>
      <Headline />
      <ActivityCharts />
      <SlotsCard />
      <FailuresCard />
    </div>
  );
}
