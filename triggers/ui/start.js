// A new peering: a form generated from the API's schema, then its plan, and then the start.

import { useChange } from "./actions.js";
import { useOperations } from "./api.js";
import { bodyOf, Fields, fieldsOf } from "./form.js";
import { html, useState } from "./lib.js";
import { Failed, Heading, Loading } from "./parts.js";
import { Plan } from "./plan.js";
import { go } from "./route.js";

export function Start({ query }) {
  const operations = useOperations();
  return html`<${Heading} title="New peering">New peering<//>
    ${operations ? html`<${Form} operation=${operations.start_peering} given=${query} key=${JSON.stringify(query)} />` : html`<${Loading} />`}`;
}

function Form({ operation, given }) {
  const fields = fieldsOf(operation);
  const [texts, setTexts] = useState(given);
  const [{ plan, error, isBusy }, run, forget] = useChange(operation);
  const set = (name, text) => {
    setTexts((old) => ({ ...old, [name]: text }));
    forget();
  };
  async function submit(event) {
    event.preventDefault();
    const answer = await run(bodyOf(fields, texts), { isDry: !plan });
    if (answer && plan) go(`#/peerings/${answer.data.id}`);
  }
  return html`<form class="narrow" onSubmit=${submit}>
    <${Fields} fields=${fields} texts=${texts} set=${set} errors=${error?.problem?.errors} />
    <${Failed} error=${error} />
    ${plan && html`<${Plan} plan=${plan} />`}
    <div class="buttons">
      <button class="main" disabled=${isBusy}>${isBusy ? "Sending…" : plan ? "Start" : "Show the plan"}</button>
    </div>
  </form>`;
}
