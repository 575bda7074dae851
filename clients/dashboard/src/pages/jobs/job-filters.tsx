/** Which jobs the table shows. */

import { type SubmitEvent, useId, useState } from "react";

import { Icon, type IconName } from "../../components/icon";
import { usePolled } from "../../data/hooks";
import { isFiltered, type JobQuery } from "../../data/job-query";
import { STATES, stateName } from "../../data/states";
import { jobPath, navigate } from "../../shell/router";
import { conditions, parseSearch, withCondition, without } from "./conditions";

interface Properties {
  query: JobQuery;
  change: (query: JobQuery) => void;
}

export function JobFilters({ query, change }: Properties) {
  const queues = usePolled((data) => data.queues).value ?? [];
  const kinds = Object.keys(usePolled((data) => data.stats).value?.kinds ?? {}).sort();
  return (
    <div className="jobs-filters">
      <div className="row">
        <SearchField query={query} change={change} queues={queues.map(({ name }) => name)} kinds={kinds} />
        <Choice
          label="Queue"
          values={queues.map(({ name }) => name)}
          choose={(name) => change(withCondition(query, { field: "queues", value: name }))}
        />
        <Choice
          label="Kind"
          values={kinds}
          choose={(name) => change(withCondition(query, { field: "kinds", value: name }))}
        />
        <label className="row">
          <span className="visually-hidden">Order</span>
          <select
            value={query.oldestFirst ? "oldest" : "newest"}
            onChange={(event) => change({ ...query, oldestFirst: event.target.value === "oldest" })}
          >
            <option value="newest">Newest first</option>
            <option value="oldest">Oldest first</option>
          </select>
        </label>
      </div>
      <StateToggles query={query} change={change} />
      <Conditions query={query} change={change} />
    </div>
  );
}

function SearchField({ query, change, queues, kinds }: Properties & { queues: string[]; kinds: string[] }) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const ids = { list: useId(), hint: useId() };
  const search = (event: SubmitEvent): void => {
    event.preventDefault();
    const found = parseSearch(text, { queues, kinds });
    if (!found) {
      setProblem("Not a job's id: try queue:NAME, kind:NAME, group:NAME, schedule:NAME or a label as KEY=VALUE");
      return;
    }
    setProblem("");
    setText("");
    if ("id" in found) {
      navigate(jobPath(found.id));
    } else {
      change(withCondition(query, found));
    }
  };
  return (
    <form className="jobs-search" role="search" onSubmit={search}>
      <Icon name="search" />
      <input
        data-search
        type="text"
        aria-label="Job id, label or other condition"
        placeholder="Job id, label=value, queue:name…"
        autoComplete="off"
        spellCheck={false}
        list={ids.list}
        value={text}
        aria-invalid={problem !== ""}
        aria-describedby={ids.hint}
        onChange={(event) => setText(event.target.value)}
      />
      <datalist id={ids.list}>
        {queues.map((name) => (
          <option key={`queue:${name}`} value={`queue:${name}`} />
        ))}
        {kinds.map((name) => (
          <option key={`kind:${name}`} value={`kind:${name}`} />
        ))}
      </datalist>
      <p id={ids.hint} className="field-error small" role="status">
        {problem}
      </p>
    </form>
  );
}

function Choice({ label, values, choose }: { label: string; values: string[]; choose: (value: string) => void }) {
  return (
    <label>
      <span className="visually-hidden">{label}</span>
      <select value="" onChange={(event) => choose(event.target.value)} disabled={values.length === 0}>
        <option value="">{label}</option>
        {values.map((value) => (
          <option key={value}>{value}</option>
        ))}
      </select>
    </label>
  );
}

function StateToggles({ query, change }: Properties) {
  return (
    <div className="row jobs-states" role="group" aria-label="States">
      {STATES.map((state) => {
        const pressed = query.states.includes(state);
        const name = stateName(state);
        const condition = { field: "states", value: name } as const;
        return (
          <button
            key={state}
            type="button"
            className="chip jobs-toggle"
            aria-pressed={pressed}
            onClick={() => change(pressed ? without(query, condition) : withCondition(query, condition))}
          >
            <span className={`state state-${name}`}>
              <Icon name={name as IconName} />
            </span>
            {name}
          </button>
        );
      })}
    </div>
  );
}

/** What else holds, each with a button that takes it away. */
function Conditions({ query, change }: Properties) {
  const shown = conditions(query).filter(({ field }) => field !== "states");
  if (!isFiltered(query)) {
    return null;
  }
  return (
    <div className="row">
      {shown.map((condition) => (
        <span key={condition.text} className="chip">
          <span className="truncate">{condition.text}</span>
          <button
            type="button"
            className="jobs-remove"
            aria-label={`Remove ${condition.text}`}
            onClick={() => change(without(query, condition))}
          >
            <Icon name="close" />
          </button>
        </span>
      ))}
      <button
        type="button"
        className="button jobs-clear"
        onClick={() => change({ ...without(query), oldestFirst: query.oldestFirst })}
      >
        Clear filters
      </button>
    </div>
  );
}
