// The library's names in one place, and a few small things that every part of the page uses.
import { Fragment, h, render } from "preact";
import { useEffect, useId, useLayoutEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import htm from "htm";

export const html = htm.bind(h);
export { Fragment, render, useEffect, useId, useLayoutEffect, useMemo, useReducer, useRef, useState };

/** A probability in [0, 1] in words, never rounded up to certainty nor down to none. */
export function percent(p) {
  if (p === null || p === undefined || Number.isNaN(p)) return "?";
  if (p === 0 || p === 1) return `${p * 100} %`;
  if (p < 0.001) return "< 0.1 %";
  if (p > 0.999) return "> 99.9 %";
  return `${(p * 100).toFixed(p < 0.1 || p > 0.99 ? 1 : 0)} %`;
}

/** A natural log-probability as the server writes it (a number, or "-Infinity" as text) as a probability. */
export const chance = (logprob) => Math.exp(Number(logprob));

export const count = (n, noun, plural = `${noun}s`) => `${n.toLocaleString("en")} ${n === 1 ? noun : plural}`;

export const seconds = (s) => (s < 1 ? `${Math.round(s * 1000)} ms` : `${s.toFixed(s < 10 ? 2 : 1)} s`);

/** "max_new_tokens" as a person reads it. */
export const words = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ").replaceAll("-", " ");

/** The letter of a setting: A, B, C, … */
export const letter = (index) => String.fromCharCode(65 + index);

/** Copy text, also where the page is not served over HTTPS and the clipboard is closed to it. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const box = document.createElement("textarea");
    box.value = text;
    (document.querySelector("dialog[open]") ?? document.body).append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
}

/** A button that copies and says so for a moment. */
export function CopyButton({ text, label, onCopy }) {
  const [done, setDone] = useState(false);
  const timer = useRef();
  const press = async () => {
    onCopy?.();
    await copy(text());
    setDone(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setDone(false), 1600);
  };
  return html`<button type="button" class="button quiet" onClick=${press}>
    ${done ? "Copied" : label}<span class="unseen" role="status">${done ? "Copied to the clipboard" : ""}</span>
  </button>`;
}
