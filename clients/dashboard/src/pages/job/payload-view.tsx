/** A payload or a result: readable, to be copied, to be saved. */

import { useId, useMemo, useState } from "react";
import type { Payload } from "slotd/web";

import { CopyButton } from "../../components/copy-button";
import { bytes } from "../../components/format";
import { saveFile } from "../../components/save-file";
import { payloadText } from "./payload";

// So many characters are shown at first.
const CUT = 20_000;

interface Properties {
  title: string;
  payload: Payload;
  /** What it is called when it is saved, without an ending. */
  fileName: string;
}

export function PayloadView({ title, payload, fileName }: Properties) {
  const heading = useId();
  const [whole, setWhole] = useState(false);
  const { form, text, size } = useMemo(() => payloadText(payload), [payload]);
  const cut = !whole && text.length > CUT;
  const ending = { json: "json", text: "txt", hex: "bin" }[form];
  return (
    <section className="card" aria-labelledby={heading}>
      <div className="card-head">
        <h2 id={heading}>{title}</h2>
        <span className="soft small">
          {payload.contentType || "application/octet-stream"}, {bytes(size)}
        </span>
        {form !== "hex" && <CopyButton what={title.toLowerCase()} text={text} />}
        <button
          type="button"
          className="button"
          onClick={() => saveFile(`${fileName}.${ending}`, [payload.data as Uint8Array<ArrayBuffer>])}
        >
          Download
        </button>
      </div>
      <pre className="job-text" tabIndex={0} aria-label={title}>
        {cut ? text.slice(0, CUT) : text}
      </pre>
      {cut && (
        <div className="card-body">
          <button type="button" className="button" onClick={() => setWhole(true)}>
            Show all
          </button>
        </div>
      )}
      {form === "hex" && (
        <p className="card-body soft small">These bytes are no text: the first 1,024 of them at most.</p>
      )}
    </section>
  );
}
