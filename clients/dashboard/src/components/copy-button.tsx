/** Puts a text where it can be pasted from. */

import { told } from "../shell/toasts";
import { Icon } from "./icon";

export function CopyButton({ what, text }: { what: string; text: string }) {
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      told(`Copied the ${what}`);
    } catch {
      // Browsers have a clipboard for pages over HTTPS and on this machine alone.
      told("The browser does not let this page copy");
    }
  };
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={`Copy the ${what}`}
      title="Copy"
      onClick={() => void copy()}
    >
      <Icon name="copy" />
    </button>
  );
}
