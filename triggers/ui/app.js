// The page: sign-in, the current address, and the view for it.

import { forgetKey, hasKey, onLocked, signsIn } from "./api.js";
import { KeyForm } from "./key.js";
import { html, render, useEffect, useState } from "./lib.js";
import { List } from "./list.js";
import { Overview } from "./overview.js";
import { Peering } from "./peering.js";
import { Reference } from "./reference.js";
import { useHere } from "./route.js";
import { Start } from "./start.js";
import { forgetPeerings } from "./summaries.js";
import { Unmanaged } from "./unmanaged.js";

const VIEWS = [
  ["/", "Overview", Overview],
  ["/peerings", "Peerings", List],
  ["/new", "New", Start],
  ["/unmanaged", "Unmanaged", Unmanaged],
];
// A view that is linked below the others.
const REFERENCE = ["/api", "The HTTP API", Reference];

function Page() {
  const { path, query } = useHere();
  const [is_open, setOpen] = useState(hasKey() || signsIn);
  const lock = () => {
    forgetKey();
    forgetPeerings();
    setOpen(false);
  };
  useEffect(() => onLocked(() => setOpen(false)), []);
  const [, identity] = path.match(/^\/peerings\/([^/]+)$/) ?? [];
  const [at, , View] = [...VIEWS, REFERENCE].find(([one]) => one === path) ?? VIEWS[identity ? 1 : 0];
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <header>
      <nav aria-label="Views">
        ${VIEWS.map(([one, title]) => html`<a href=${`#${one}`} aria-current=${one === at ? "page" : undefined}>${title}</a>`)}
      </nav>
    </header>
    <main id="main" tabindex="-1">
      ${is_open ? (identity ? html`<${Peering} id=${identity} key=${identity} />` : html`<${View} query=${query} />`)
        : html`<${KeyForm} onKept=${() => setOpen(true)} />`}
    </main>
    <footer>
      <a href=${`#${REFERENCE[0]}`}>${REFERENCE[1]}</a>
      ${is_open && hasKey() && html`<button type="button" onClick=${lock}>Forget the key</button>`}
    </footer>`;
}

/** Move the focus to the content; the address's hash is used by the views. */
function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

render(html`<${Page} />`, document.getElementById("app"));
