/** Says that the tab is cut off, and since when. */

import { Icon } from "../components/icon";
import { Time } from "../components/time";
import { useConnection, useData } from "../data/hooks";

export function ConnectionBanner() {
  const connection = useConnection();
  const { feed } = useData();
  return (
    <div role="status" aria-live="polite">
      {connection.state === "reconnecting" && (
        <div className="banner">
          <Icon name="offline" />
          <span>
            Disconnected since <Time at={connection.since} />. What you see is from then; it will catch up by itself.
          </span>
          <button type="button" className="button" onClick={() => feed.reconnect()}>
            Try now
          </button>
        </div>
      )}
    </div>
  );
}
