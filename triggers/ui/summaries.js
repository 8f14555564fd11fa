// The summaries of all peerings: loaded page by page, then kept up to date by loading changes.

import { get } from "./api.js";
import { useEffect, useReducer, useState } from "./lib.js";
import { lastPart } from "./parts.js";

// The first rows arrive quickly, the others in few responses.
const FIRST_PAGE = 50;
const PAGE = 500;
const EVERY = 10_000;
// Rows that were written while a list was read may be older than its newest one, in milliseconds.
const OVERLAP = 60_000;

const kept = { rows: new Map(), all: [], isComplete: false, error: null, loading: null, newest: "" };
const watchers = new Set();

function show() {
  kept.all = [...kept.rows.values()];
  watchers.forEach((watcher) => watcher());
}

/** A summary with the values that filters and columns need. */
function prepared(summary) {
  const vnet = lastPart(summary.vnet_id);
  const owner = summary.project ?? summary.organization_id;
  const labels = Object.entries(summary.labels).map(([name, value]) => `${name}=${value}`);
  const codes = summary.problems.map((one) => one.code);
  const texts = [summary.id, owner, summary.project_vpc_id, summary.organization_vpc_id, summary.vnet_id, summary.state,
    summary.verdict, summary.requested_by, summary.note, ...labels, ...codes, ...summary.problems.map((one) => one.title)];
  return { ...summary, vnet, owner, codes, text: texts.join("\n").toLowerCase() };
}

function take({ peerings, paused_all }) {
  kept.paused_all = paused_all;
  for (const one of peerings) {
    kept.rows.set(one.id, prepared(one));
    if (one.changed > kept.newest) kept.newest = one.changed;
  }
}

async function loadAll() {
  kept.rows = new Map();
  let path = `peerings?limit=${FIRST_PAGE}`;
  while (path) {
    const { data } = await get(path);
    take(data);
    path = data.cursor && `peerings?${new URLSearchParams({ limit: PAGE, cursor: data.cursor })}`;
    show();
  }
  kept.isComplete = true;
}

async function loadChanged() {
  const changedSince = new Date(Math.max(0, Date.parse(kept.newest || 0) - OVERLAP)).toISOString();
  let cursor;
  do {
    const query = new URLSearchParams({ limit: PAGE, changedSince });
    if (cursor) query.set("cursor", cursor);
    const { data } = await get(`peerings?${query}`);
    take(data);
    ({ cursor } = data);
  } while (cursor);
  // Removed peerings are not among the changes: only the number of peerings shows them.
  const { data } = await get("overview");
  if (data.peerings !== kept.rows.size) await loadAll();
}

/** Load all summaries, or afterwards the changed ones; one load at a time. */
export function refresh() {
  kept.loading ??= (kept.isComplete ? loadChanged() : loadAll())
    .then(() => { kept.error = null; }, (error) => { kept.error = error; })
    .finally(() => { kept.loading = null; show(); });
  return kept.loading;
}

export function forgetPeerings() {
  Object.assign(kept, { rows: new Map(), all: [], isComplete: false, error: null, newest: "" });
}

/** The summaries so far, whether they are complete, and the error of the last load. */
export function usePeerings() {
  const [, draw] = useReducer((n) => n + 1, 0);
  // Requested while the view is being drawn, before the data of its fields.
  useState(() => { refresh(); });
  useEffect(() => {
    watchers.add(draw);
    const timer = setInterval(() => document.hidden || refresh(), EVERY);
    return () => {
      watchers.delete(draw);
      clearInterval(timer);
    };
  }, []);
  return kept;
}
