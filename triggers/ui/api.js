// The HTTP API, as for every other client: the key, problem documents, ETags, and when to poll again.

import { useCallback, useEffect, useRef, useState } from "./lib.js";

const KEY = "peering-key";
// The poll interval in seconds, unless a response specifies it.
const AT_REST = 15;

/** A refused or failed request: its problem document, or a substitute for one. */
export class Refused extends Error {
  constructor(problem) {
    super(problem.title);
    this.problem = problem;
  }
}

const locked = new Set();

/** Call `listener` whenever the host requires a key. */
export function onLocked(listener) {
  locked.add(listener);
  return () => locked.delete(listener);
}

/** Whether App Service signs users in; otherwise the API requires a function key. */
export const signsIn = document.documentElement.dataset.signIn === "entra";
export const hasKey = () => sessionStorage.getItem(KEY) !== null;
export const keepKey = (key) => sessionStorage.setItem(KEY, key);
export const forgetKey = () => sessionStorage.removeItem(KEY);

/** Send a request to the API; `path` is relative to `/api/`. Returns status, data, ETag and when to poll again. */
export async function ask(method, path, { body, headers = {} } = {}) {
  const given = { Accept: "application/json", ...headers };
  if (hasKey()) given["x-functions-key"] = sessionStorage.getItem(KEY);
  if (body !== undefined) given["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers: given, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Refused({ title: "The app does not respond", detail: "The request did not reach it, or its response was lost." });
  }
  const is_json = /json/.test(answer.headers.get("content-type") ?? "");
  const data = is_json ? await answer.json() : null;
  if (answer.status === 401) refuse(method);
  if (answer.status >= 400) throw new Refused(data ?? { title: `The host returned ${answer.status}`, status: answer.status });
  const wait = Number(answer.headers.get("retry-after"));
  return { status: answer.status, data, etag: answer.headers.get("etag"), wait: wait || null };
}

/** 401 comes from the host, without a body: the key is invalid, or allows only reading. */
function refuse(method) {
  if (method !== "GET") {
    throw new Refused({
      title: "The key does not allow this",
      status: 401,
      detail: "The host returned 401: this key allows reading, but no changes.",
    });
  }
  locked.forEach((listener) => listener());
  throw new Refused({ title: "The key is not accepted", status: 401, detail: "The host returned 401." });
}

export const get = (path, etag) => ask("GET", path, { headers: etag ? { "If-None-Match": etag } : {} });

/** The response of a GET, polled at the interval that the API specifies; `look` polls immediately. */
export function useWatched(path) {
  const [seen, setSeen] = useState({ path });
  const again = useRef(() => {});
  useEffect(() => {
    let timer, etag, data, gone = false;
    async function look() {
      clearTimeout(timer);
      let wait = AT_REST;
      try {
        const answer = await get(path, etag);
        if (gone) return;
        if (answer.status !== 304) {
          ({ etag, data } = answer);
          setSeen({ path, data, etag });
        }
        wait = answer.wait ?? AT_REST;
      } catch (error) {
        if (gone) return;
        setSeen({ path, data, etag, error });
        etag = undefined;
      }
      clearTimeout(timer);
      timer = setTimeout(() => (document.hidden ? undefined : look()), wait * 1000);
    }
    const back = () => document.hidden || look();
    document.addEventListener("visibilitychange", back);
    again.current = look;
    look();
    return () => {
      gone = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", back);
    };
  }, [path]);
  const look = useCallback(() => again.current(), []);
  return { ...(seen.path === path ? seen : {}), look };
}

const once = new Map();

/** The response of a GET that is requested once, because it does not change while the app runs. */
export function useKnown(path) {
  const [, show] = useState(0);
  if (!once.has(path)) {
    const found = {};
    once.set(path, found);
    found.coming = get(path).then(
      (answer) => Object.assign(found, { data: answer.data }),
      (error) => once.delete(path) && Object.assign(found, { error }),
    );
  }
  const found = once.get(path);
  useEffect(() => {
    let gone = false;
    found?.coming.then(() => gone || show((n) => n + 1));
    return () => { gone = true; };
  }, [path]);
  return found ?? {};
}

/** The operations of the OpenAPI document by id, each with its method and path; null until it is loaded. */
export function useOperations() {
  const { data } = useKnown("openapi.json");
  return data ? operations(data) : null;
}

function operations(document) {
  document.byId ??= Object.fromEntries(
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, one]) => [
        one.operationId,
        { ...one, path: path.replace(/^\/api\//, ""), method: method.toUpperCase(), schemas: document.components.schemas },
      ]),
    ),
  );
  return document.byId;
}

/** A key with which a request is executed once, however often it is sent. */
export const newIdempotencyKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16)).join("");
