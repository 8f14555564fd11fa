// Where one is: the part of the address behind `#`, so that the server needs no route for it.

import { useEffect, useState } from "./lib.js";

/** The parts of the address: `#/peerings?state=failed` is the path `/peerings` and its query. */
export function here() {
  const [path, query] = location.hash.replace(/^#/, "").split(/\?(.*)/s);
  return { path: path || "/", query: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

/** An address with a query; what is empty is left out. */
export function address(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return `#${path}${given.length ? `?${new URLSearchParams(given)}` : ""}`;
}

/** Go somewhere else, or put another address in the place of this one. */
export function go(to, { replace = false } = {}) {
  if (!replace) {
    location.hash = to;
    return;
  }
  history.replaceState(null, "", to);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** Where one is, and again whenever that changes. */
export function useHere() {
  const [found, set] = useState(here);
  useEffect(() => {
    const look = () => set(here());
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  return found;
}
