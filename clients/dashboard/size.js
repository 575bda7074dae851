// Fails where the page's scripts and styles, each packed by gzip, are more than it may take: size.js FOLDER.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const LIMIT_KB = 150;

const folder = process.argv[2];
let total = 0;
for (const name of readdirSync(folder, { recursive: true }).sort()) {
  if (/\.(js|css)$/.test(name)) {
    const size = gzipSync(readFileSync(join(folder, name)), { level: 9 }).length / 1000;
    total += size;
    console.log(`${size.toFixed(1).padStart(7)} kB  ${name}`);
  }
}
console.log(`${total.toFixed(1).padStart(7)} kB of ${LIMIT_KB}`);
process.exit(total <= LIMIT_KB ? 0 : 1);
