import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { VERSION } from "slotd";

test("the package says which version it is", () => {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  assert.equal((JSON.parse(manifest) as { version: string }).version, VERSION);
});
