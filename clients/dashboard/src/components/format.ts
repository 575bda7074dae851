/** Numbers and times as people read them. */

const NUMBER = new Intl.NumberFormat("en");
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** 12,345 */
export function count(value: number | bigint): string {
  return NUMBER.format(value);
}

/** 12.3K */
export function shortCount(value: number | bigint): string {
  return SHORT.format(value);
}

/** `1 job`, `1,200 jobs` */
export function plural(value: number | bigint, noun: string): string {
  return `${count(value)} ${noun}${Number(value) === 1 ? "" : "s"}`;
}

/** A length of time in milliseconds as `12 ms`, `3.4 s`, `5 m 6 s`, `2 h 3 m`, `4 d 5 h`; below a second `0 s` where coarse. */
export function length(milliseconds: number, coarse = false): string {
  const ms = Math.max(0, milliseconds);
  const s = ms / 1000;
  if (s < 1) {
    return coarse ? "0 s" : `${Math.round(ms)} ms`;
  }
  if (s < 60) {
    return coarse || s >= 10 ? `${Math.floor(s)} s` : `${s.toFixed(1)} s`;
  }
  const whole = Math.floor(s);
  const [big, small, names] =
    s < 3600
      ? [whole / 60, whole % 60, ["m", "s"]]
      : s < 86_400
        ? [whole / 3600, (whole % 3600) / 60, ["h", "m"]]
        : [whole / 86_400, (whole % 86_400) / 3600, ["d", "h"]];
  return `${Math.floor(big)} ${names[0]}` + (Math.floor(small) > 0 ? ` ${Math.floor(small)} ${names[1]}` : "");
}

/** `3 m 5 s ago`, `12 m ago`, `in 2 h`; both in milliseconds since 1970. */
export function ago(at: number, now: number): string {
  const past = now - at;
  const [big = "", unit = "", ...small] = length(Math.abs(past), true).split(" ");
  const span = [big, unit, ...(Number(big) < 10 ? small : [])].join(" ");
  return past >= -500 ? `${span} ago` : `in ${span}`;
}

/** The time of day, with the date where that is another one. */
export function moment(date: Date, now = new Date()): string {
  return date.toDateString() === now.toDateString() ? TIME.format(date) : DATE.format(date);
}

/** 1.5 MB */
export function bytes(value: number | bigint): string {
  const size = Number(value);
  return size < 1000 ? `${size} B` : size < 1e6 ? `${(size / 1000).toFixed(1)} kB` : `${(size / 1e6).toFixed(1)} MB`;
}

/** The end of an id: what tells apart those of one moment. */
export function shortId(id: string): string {
  return id.length > 12 ? `…${id.slice(-12)}` : id;
}
