/** Which keys there are. */

import { PAGES } from "./pages";

const KEYS: readonly (readonly [string, string])[] = [
  ["/", "Search"],
  ["?", "This list"],
  ["Esc", "Close, or clear the selection"],
  ["j  k", "Next, previous row of a table"],
  ["Enter", "Open the row"],
  ["x", "Choose the row"],
];

export function KeyList() {
  return (
    <dl className="key-list">
      {[...KEYS, ...PAGES.map(({ key, title }) => [`g ${key}`, title] as const)].map(([keys, meaning]) => (
        <div key={keys}>
          <dt>
            {keys.split(/ +/).map((key) => (
              <kbd key={key}>{key}</kbd>
            ))}
          </dt>
          <dd>{meaning}</dd>
        </div>
      ))}
    </dl>
  );
}
