// Asks for the function key, where nobody else tells the app who one is; it stays in this tab.

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
    <p>The app asks for a function key. It is kept in this tab alone, and is gone when the tab is closed.</p>
    ${was_refused && !error && html`<p role="alert">The key that this tab had is not taken any more.</p>`}
    <div class="field"><label for="key">Function key</label>
      <input id="key" name="key" type="password" required autocomplete="off" /></div>
    <button class="main">Continue</button>
    <${Failed} error=${error} />
  </form>`;
}
