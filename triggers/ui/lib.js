// Preact and htm, as their unmodified files leave them; no module but this one knows where they come from.

const { preact, preactHooks, htm } = globalThis;

export const html = htm.bind(preact.h);
export const { render } = preact;
export const { useCallback, useEffect, useMemo, useReducer, useRef, useState } = preactHooks;
