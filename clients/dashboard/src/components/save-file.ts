/** Gives somebody a file. */

// By then the browser has begun to write it.
const KEPT_MS = 60_000;

export function saveFile(name: string, pieces: BlobPart[]): void {
  const url = URL.createObjectURL(new Blob(pieces));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
