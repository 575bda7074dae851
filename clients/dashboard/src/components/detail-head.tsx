/** The head of what is said of one thing above the table of all: its name, and where one goes from there. */

import { Link } from "../shell/router";

interface Properties {
  name: string;
  /** Addresses: of its jobs, of its form, and of the table alone. */
  jobs: string;
  edit: string;
  all: string;
}

export function DetailHead({ name, jobs, edit, all }: Properties) {
  return (
    <div className="card-head">
      <h2>{name}</h2>
      <Link className="button" href={jobs}>
        Its jobs
      </Link>
      <Link className="button" href={edit}>
        Edit
      </Link>
      <Link className="button" href={all}>
        Close
      </Link>
    </div>
  );
}
