// Asks for the function key if App Service does not sign users in; the key is stored in this tab only.

import { ask, forgetKey, hasKey, keepKey } from "./api.js";
import { html, useState } from "./lib.js";
import { Failed, Heading } from "./parts.js";

export function KeyForm({ onKept }) {
  const [error, setError] = useState(null);
  const [was_refused] = useState(hasKey);
  async function keep(event) {
    event.preventDefault();
    keepKey(new FormData(event.target).get("key").trim());
    try {
      await ask("GET", "overview");
      onKept();
    } catch (refused) {
      forgetKey();
      setError(refused);
    }
  }
  return html`<form class="narrow" onSubmit=${keep}>
    <${Heading} title="Sign in">Sign in<//>
    <p>Enter a function key of the app. It is stored in this tab only, until you close the tab.</p>
    ${was_refused && !error && html`<p role="alert">The key of this tab is no longer accepted.</p>`}
    <div class="field"><label for="key">Function key</label>
      <input id="key" name="key" type="password" required autocomplete="off" /></div>
    <button class="main">Continue</button>
    <${Failed} error=${error} />
  </form>`;
}
