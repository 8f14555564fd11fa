// Preact and htm from their unmodified files; only this module knows where they come from.

const { preact, preactHooks, htm } = globalThis;

export const html = htm.bind(preact.h);
export const { render } = preact;
export const { useCallback, useEffect, useMemo, useReducer, useRef, useState } = preactHooks;
