// The library's names in one place, and a few small things that every part of the page uses.
import { h, render } from "preact";
import { useEffect, useId, useLayoutEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import htm from "htm";

export const html = htm.bind(h);
export { render, useEffect, useId, useLayoutEffect, useMemo, useReducer, useRef, useState };

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

const DRAWINGS = {
  help: "M9.2 9a2.9 2.9 0 1 1 4.3 2.6c-.9.5-1.5 1-1.5 2.1M12 17.2v.1",
  add: "M12 6v12M6 12h12",
  close: "M7 7l10 10M17 7L7 17",
  reset: "M5 5v5h5M5.6 10A7 7 0 1 1 5 13",
  dice: "M5 5h14v14H5zM9 9v.1M15 9v.1M12 12v.1M9 15v.1M15 15v.1",
  system: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M5.6 18.4l1.1-1.1M17.3 6.7l1.1-1.1",
  dark: "M19 14.5A7.5 7.5 0 0 1 9.5 5 7.5 7.5 0 1 0 19 14.5z",
};

/** A button with a drawing; ``label`` is its name and its tooltip. */
export const IconButton = ({ name, label, ...rest }) => html`<button type="button" class="icon" aria-label=${label} title=${label} ...${rest}>
  <svg viewBox="0 0 24 24" aria-hidden="true"><path d=${DRAWINGS[name]} /></svg>
</button>`;

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
