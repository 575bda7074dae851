/** A job's output as lines of text, taken in piece by piece as it is written. */

// CSI sequences (colours, cursor), OSC sequences (titles, links), and the other two-character escapes.
// eslint-disable-next-line no-control-regex
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])/g;

// Without an end of line, a line ends here: no browser draws one of megabytes.
const LONGEST = 4_000;

/** Lines without colours; of what a line wrote over itself with carriage returns, the last stands. */
export class OutputLines {
  readonly #decoder = new TextDecoder();
  readonly #lines: string[] = [];
  #open = "";
  #skipping: boolean;

  /** `midway`: it begins somewhere within a line, which is left out. */
  constructor(midway: boolean) {
    this.#skipping = midway;
  }

  /** How many lines there are, the one not ended yet included. */
  get count(): number {
    return this.#lines.length + (this.#open === "" ? 0 : 1);
  }

  /** Takes in the next bytes, which may end within a character or a line. */
  add(data: Uint8Array): void {
    let text = this.#decoder.decode(data, { stream: true });
    if (this.#skipping) {
      const end = text.indexOf("\n");
      if (end < 0) {
        return;
      }
      text = text.slice(end + 1);
      this.#skipping = false;
    }
    const pieces = (this.#open + text).split("\n");
    this.#open = pieces.pop() ?? "";
    for (const piece of pieces) {
      this.#end(piece);
    }
    if (this.#open.length > LONGEST) {
      this.#end(this.#open.slice(0, -(this.#open.length % LONGEST) || undefined));
      this.#open = this.#open.slice(this.#open.length - (this.#open.length % LONGEST));
    }
  }

  /** The lines from `start` up to `end`, which is not among them. */
  slice(start: number, end: number): string[] {
    const lines = this.#lines.slice(start, end);
    if (end > this.#lines.length && this.#open !== "") {
      lines.push(plain(this.#open));
    }
    return lines;
  }

  #end(line: string): void {
    const text = plain(line);
    for (let at = 0; at === 0 || at < text.length; at += LONGEST) {
      this.#lines.push(text.slice(at, at + LONGEST));
    }
  }
}

function plain(line: string): string {
  const text = line.replace(ESCAPES, "").replace(/\r+$/, "");
  return text.slice(text.lastIndexOf("\r") + 1);
}
