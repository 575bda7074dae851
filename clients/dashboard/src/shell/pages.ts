/** The pages that there are: where each is, how the navigation names it, and which key after `g` goes there. */

import type { ComponentType } from "react";

import type { IconName } from "../components/icon";
import { JobPage } from "../pages/job/job-page";
import { JobsPage } from "../pages/jobs/jobs-page";
import { OverviewPage } from "../pages/overview/overview-page";
import { QueuesPage } from "../pages/queues/queues-page";
import { SchedulesPage } from "../pages/schedules/schedules-page";
import { SubmitPage } from "../pages/submit/submit-page";
import { WorkersPage } from "../pages/workers/workers-page";

/** A page in the navigation. */
export interface Page {
  /** Its address. */
  readonly path: string;
  /** What the navigation and the window's title call it. */
  readonly title: string;
  readonly icon: IconName;
  /** After `g`. */
  readonly key: string;
  readonly component: ComponentType;
}

/** A page about one thing, at `PATH/NAME`. */
export interface DetailPage {
  readonly path: string;
  readonly title: string;
  readonly component: ComponentType<{ name: string }>;
}

/** In the navigation's order. */
export const PAGES: readonly Page[] = [
  { path: "/", title: "Overview", icon: "overview", key: "o", component: OverviewPage },
  { path: "/jobs", title: "Jobs", icon: "list", key: "j", component: JobsPage },
  { path: "/queues", title: "Queues", icon: "queues", key: "q", component: QueuesPage },
  { path: "/schedules", title: "Schedules", icon: "schedules", key: "s", component: SchedulesPage },
  { path: "/workers", title: "Workers", icon: "workers", key: "w", component: WorkersPage },
  { path: "/submit", title: "Submit", icon: "submit", key: "n", component: SubmitPage },
];

export const DETAIL_PAGES: readonly DetailPage[] = [{ path: "/jobs", title: "Job", component: JobPage }];
