// The current view: the part of the address after `#`, so that the server needs no route for it.

import { useEffect, useState } from "./lib.js";

/** The parts of the address: `#/peerings?state=failed` is the path `/peerings` and its query. */
export function here() {
  const [path, query] = location.hash.replace(/^#/, "").split(/\?(.*)/s);
  return { path: path || "/", query: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

/** An address with a query; empty values are left out. */
export function address(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return `#${path}${given.length ? `?${new URLSearchParams(given)}` : ""}`;
}

/** Go to another address, or replace the current one. */
export function go(to, { replace = false } = {}) {
  if (!replace) {
    location.hash = to;
    return;
  }
  history.replaceState(null, "", to);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** The current path and query, updated whenever they change. */
export function useHere() {
  const [found, set] = useState(here);
  useEffect(() => {
    const look = () => set(here());
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  return found;
}
