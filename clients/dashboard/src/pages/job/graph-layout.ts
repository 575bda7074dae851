/** Where the nodes of a graph without cycles go: in columns, each right of all that it waits for. */

import type { Edge } from "./job-graph";

/** Column and row, from 0. */
export interface Spot {
  readonly column: number;
  readonly row: number;
}

/** A spot for each of `nodes`. Within a column they are ordered so that edges cross little. */
export function layOut(nodes: readonly string[], edges: readonly Edge[]): Map<string, Spot> {
  const columns = columnsOf(nodes, edges);
  const before = new Map<string, string[]>();
  for (const [from, to] of edges) {
    before.set(to, [...(before.get(to) ?? []), from]);
  }
  const spots = new Map<string, Spot>();
  for (let column = 0; ; column++) {
    const members = nodes.filter((node) => columns.get(node) === column);
    if (members.length === 0) {
      return spots;
    }
    const height = (node: string): number => middle((before.get(node) ?? []).map((from) => spots.get(from)?.row ?? 0));
    const heights = new Map(members.map((node) => [node, height(node)]));
    members.sort((a, b) => (heights.get(a) ?? 0) - (heights.get(b) ?? 0));
    members.forEach((node, row) => spots.set(node, { column, row }));
  }
}

/** The length of the longest way to each node. */
function columnsOf(nodes: readonly string[], edges: readonly Edge[]): Map<string, number> {
  const columns = new Map(nodes.map((node) => [node, 0]));
  // No way is longer than there are nodes, whatever the edges are.
  for (let pass = 0, moved = true; moved && pass < nodes.length; pass++) {
    moved = false;
    for (const [from, to] of edges) {
      const next = (columns.get(from) ?? 0) + 1;
      if ((columns.get(to) ?? Infinity) < next) {
        columns.set(to, next);
        moved = true;
      }
    }
  }
  // Sources sit next to what waits for them, not all at the left.
  for (const node of nodes) {
    const after = edges.filter(([from]) => from === node).map(([, to]) => columns.get(to) ?? 0);
    if (after.length > 0 && !edges.some(([, to]) => to === node)) {
      columns.set(node, Math.min(...after) - 1);
    }
  }
  return columns;
}

function middle(rows: readonly number[]): number {
  return rows.length === 0 ? Infinity : rows.reduce((sum, row) => sum + row, 0) / rows.length;
}
