// Changes, each in a dialog that is generated from its operation: its summary, its fields, its plan, and then the change.

import { ask, newIdempotencyKey, useOperations } from "./api.js";
import { bodyOf, Fields, fieldsOf } from "./form.js";
import { html, useEffect, useRef, useState } from "./lib.js";
import { capital, Failed, prose } from "./parts.js";
import { Plan } from "./plan.js";

export const verb = (name) => capital(name.split("_")[0]);
const takes = (operation, parameter) => operation.parameters.some((one) => one.name === parameter);

/** Buttons for some operations; `about` names their target, `id` is the peering's. */
export function Actions({ names, about, all = false, id, etag, now, typed, onDone }) {
  const operations = useOperations();
  const [open, setOpen] = useState(null);
  const [said, say] = useState("");
  if (!operations) return null;
  const done = (answer) => {
    setOpen(null);
    say(`${verb(open)}: ${answer.status === 202 ? "accepted" : "done"}${answer.data?.run ? `, run ${answer.data.run}` : ""}.`);
    onDone(answer);
  };
  return html`<div class="actions" role="group" aria-label=${`Actions on ${about}`}>
    ${names.map((name) => html`<button type="button" class=${operations[name].method === "DELETE" ? "danger" : ""}
      onClick=${() => setOpen(name)}>${verb(name)}${all && " all"}</button>`)}
    <span role="status">${said}</span>
    ${open && html`<${Dialog} key=${open} name=${open} operation=${operations[open]} about=${about} id=${id} etag=${etag} now=${now}
      typed=${typed} onDone=${done} onClose=${() => setOpen(null)} />`}
  </div>`;
}

/** Requests a change: first its plan, if the API has one. */
export function useChange(operation, id, etag) {
  const [state, setState] = useState({});
  const key = useRef({});
  const planned = useRef();
  const path = operation?.path.replace("{id}", id);
  const run = async (body, { isDry }) => {
    setState((now) => ({ ...now, error: null, isBusy: true, plan: isDry ? null : now.plan }));
    const text = JSON.stringify(body);
    // The same change is not made twice, even if its response is lost.
    if (key.current.text !== text) key.current = { text, key: newIdempotencyKey() };
    const headers = isDry ? {} : { "Idempotency-Key": key.current.key };
    // The plan is valid only for this version of the peering.
    if (isDry) planned.current = etag;
    if (!isDry && planned.current && takes(operation, "If-Match")) headers["If-Match"] = planned.current;
    const given = operation.requestBody ? { body, headers } : { headers };
    try {
      const answer = await ask(operation.method, isDry ? `${path}?dryRun=true` : path, given);
      setState(isDry ? { plan: answer.data } : {});
      return answer;
    } catch (error) {
      // Without a response, the change may have been made: keep the key, so that a repetition joins it.
      if (error.problem?.status) key.current = {};
      setState({ error });
      return null;
    }
  };
  return [state, run, () => setState({})];
}

function Dialog({ name, operation, about, id, etag, now, typed, onDone, onClose }) {
  const dialog = useRef();
  const fields = fieldsOf(operation);
  const is_planned = takes(operation, "dryRun");
  const needs_name = operation.method === "DELETE";
  const [texts, setTexts] = useState({});
  const [name_typed, setTyped] = useState("");
  const [{ plan, error, isBusy }, run, forget] = useChange(operation, id, etag);
  useEffect(() => {
    dialog.current.showModal();
    if (is_planned && fields.length === 0) run({}, { isDry: true });
  }, []);
  const set = (field, text) => {
    setTexts((old) => ({ ...old, [field]: text }));
    forget();
  };
  const is_ready = (!is_planned || plan) && (!needs_name || name_typed === typed);
  async function submit(event) {
    event.preventDefault();
    const answer = await run(bodyOf(fields, texts), { isDry: is_planned && !plan });
    if (answer && !(is_planned && !plan)) onDone(answer);
  }
  return html`<dialog ref=${dialog} onClose=${onClose} aria-labelledby="dialog-title">
    <form onSubmit=${submit}>
      <h2 id="dialog-title">${verb(name)} ${about}</h2>
      <p>${prose(capital(operation.summary))}.</p>
      <${Fields} fields=${fields} texts=${texts} set=${set} errors=${error?.problem?.errors} now=${now} />
      <${Failed} error=${error} />
      ${plan && html`<${Plan} plan=${plan} />`}
      ${needs_name && plan && html`<div class="field">
        <label for="typed">Type <code>${typed}</code> to confirm</label>
        <input id="typed" value=${name_typed} onInput=${(event) => setTyped(event.target.value)} autocomplete="off" spellcheck=${false} />
      </div>`}
      <div class="buttons">
        <button type="button" onClick=${() => dialog.current.close()}>Back</button>
        <button class=${needs_name ? "danger" : "main"} disabled=${isBusy || (!is_ready && !(is_planned && !plan))}>
          ${isBusy ? "Sending…" : is_planned && !plan ? "Show the plan" : verb(name)}
        </button>
      </div>
    </form>
  </dialog>`;
}
