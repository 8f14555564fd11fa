// The HTTP API, as every other client sees it: the key, problem documents, ETags, and when to look again.

import { useCallback, useEffect, useRef, useState } from "./lib.js";

const KEY = "peering-key";
// How long to wait for the next look where no answer says it, in seconds.
const AT_REST = 15;

/** What the API refused: its problem document, or what can be said without one. */
export class Refused extends Error {
  constructor(problem) {
    super(problem.title);
    this.problem = problem;
  }
}

const locked = new Set();

/** Call `listener` whenever the host asks for a key. */
export function onLocked(listener) {
  locked.add(listener);
  return () => locked.delete(listener);
}

/** Whether App Service signs people in; without it only a function key opens the API. */
export const signsIn = document.documentElement.dataset.signIn === "entra";
export const hasKey = () => sessionStorage.getItem(KEY) !== null;
export const keepKey = (key) => sessionStorage.setItem(KEY, key);
export const forgetKey = () => sessionStorage.removeItem(KEY);

/** Ask the API; `path` is below `/api/`. Gives status, data, ETag and when to look again. */
export async function ask(method, path, { body, headers = {} } = {}) {
  const given = { Accept: "application/json", ...headers };
  if (hasKey()) given["x-functions-key"] = sessionStorage.getItem(KEY);
  if (body !== undefined) given["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers: given, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Refused({ title: "The app does not answer", detail: "The request did not reach it, or its answer was lost." });
  }
  const is_json = /json/.test(answer.headers.get("content-type") ?? "");
  const data = is_json ? await answer.json() : null;
  if (answer.status === 401) refuse(method);
  if (answer.status >= 400) throw new Refused(data ?? { title: `The host answered ${answer.status}`, status: answer.status });
  const wait = Number(answer.headers.get("retry-after"));
  return { status: answer.status, data, etag: answer.headers.get("etag"), wait: wait || null };
}

/** 401 comes from the host, without a body: a key that opens nothing, or one that only reads. */
function refuse(method) {
  if (method !== "GET") {
    throw new Refused({
      title: "The key does not open this",
      status: 401,
      detail: "The host answered 401: this key may read, and not change anything.",
    });
  }
  locked.forEach((listener) => listener());
  throw new Refused({ title: "The key is not taken", status: 401, detail: "The host answered 401." });
}

export const get = (path, etag) => ask("GET", path, { headers: etag ? { "If-None-Match": etag } : {} });

/** What a GET answers, looked at again when the API says so; `look` looks at once. */
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

/** What a GET answers, asked for once: what does not change while the app runs. */
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

/** The OpenAPI document's operations by their ids, each with its method and path; null while it is not there. */
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

/** A key that has one request carried out once, however often it is sent. */
export const newIdempotencyKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16)).join("");
