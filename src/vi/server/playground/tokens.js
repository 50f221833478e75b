// Tokens as marks coloured by their probability, and the panel that says how one was chosen.
import { chance, html, percent, useEffect, useLayoutEffect, useRef, useState } from "./ui.js";
import { samples } from "./fields.js";

/** A token's text with what cannot be seen made visible. */
const visible = (text) => text.replaceAll("\n", "↵\n").replaceAll("\t", "⇥") || "∅";

/**
 * Tokens of one answer. Arrow keys, Home and End move between them; only one is in the page's tab order.
 *
 * first: index of the first token, where these are a part of an answer. odd: index of the first token that differs.
 * inspect: called with {token, index, config, anchor}, or null.
 */
export function Tokens({ tokens, config, label, inspect, first = 0, odd = -1 }) {
  const [current, setCurrent] = useState(0);
  const strip = useRef();
  const show = (index) => inspect({ token: tokens[index], index: first + index, config, anchor: strip.current.children[index] });
  const move = (event) => {
    const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const next = Math.min(Math.max(current + steps[event.key], 0), tokens.length - 1);
    setCurrent(next);
    strip.current.children[next].focus();
  };
  return html`<div class="tokens" role="toolbar" aria-label=${label} ref=${strip} onKeyDown=${move}>
    ${tokens.map(
      (token, index) => html`<${Token}
        key=${index}
        token=${token}
        isOdd=${first + index === odd}
        tabIndex=${index === Math.min(current, tokens.length - 1) ? 0 : -1}
        onFocus=${() => {
          setCurrent(index);
          show(index);
          strip.current.children[index].scrollIntoView({ block: "nearest" });
        }}
        onPoint=${() => show(index)}
        onLeave=${() => inspect(null)}
      />`,
    )}
  </div>`;
}

function Token({ token, isOdd, tabIndex, onFocus, onPoint, onLeave }) {
  const p = chance(token.logprob);
  const said = [
    token.text.trim() ? token.text : JSON.stringify(token.text),
    percent(p),
    token.forced && "forced by the grammar",
    isOdd && "first difference",
  ];
  return html`<button
    type="button"
    class=${`token${token.forced ? " forced" : ""}${isOdd ? " odd" : ""}`}
    style=${{ "--p": p.toFixed(3) }}
    tabindex=${tabIndex}
    aria-label=${said.filter(Boolean).join(", ")}
    aria-describedby="inspector"
    onFocus=${onFocus}
    onBlur=${onLeave}
    onClick=${(event) => event.currentTarget.focus()}
    onPointerMove=${(event) => isMoved(event) && onPoint()}
    onPointerLeave=${(event) => event.currentTarget !== document.activeElement && onLeave()}
  >${visible(token.text)}</button>`;
}

/** Whether a mouse was moved, and not the page below it. */
const isMoved = ({ pointerType, movementX, movementY }) => pointerType === "mouse" && (movementX !== 0 || movementY !== 0);

/** The colours in words. */
export const Legend = () => html`<p class="legend" aria-hidden="true">
  <span>unlikely <i class="scale"></i> likely</span>
  <span><b class="token forced">forced</b> by the grammar</span>
  <span><b class="token odd">first</b> difference from the most frequent answer</span>
</p>`;

/** How one token was chosen, beside it; at the bottom of a narrow screen. */
export function Inspector({ at }) {
  const panel = useRef();
  const [place, setPlace] = useState({});
  useLayoutEffect(() => at && setPlace(beside(at.anchor.getBoundingClientRect(), panel.current)), [at]);
  useEffect(() => {
    if (!at) return undefined;
    const follow = () => setPlace(beside(at.anchor.getBoundingClientRect(), panel.current));
    addEventListener("scroll", follow, { passive: true, capture: true });
    return () => removeEventListener("scroll", follow, { capture: true });
  }, [at]);
  return html`<aside id="inspector" role="tooltip" class="inspector" ref=${panel} style=${place} hidden=${!at}>
    ${at && html`<${Choice} ...${at} />`}
  </aside>`;
}

/** Below the mark, or above it where there is no room; inside the window. */
function beside(mark, panel) {
  const { offsetWidth: width, offsetHeight: height } = panel;
  const left = Math.max(12, Math.min(mark.left - 16, innerWidth - width - 12));
  const below = mark.bottom + 8;
  const top = below + height < innerHeight - 8 || mark.top < height + 16 ? below : mark.top - height - 8;
  return { left: `${left}px`, top: `${top}px` };
}

function Choice({ token, index, config }) {
  const isDrawn = samples(config);
  return html`
    <header>
      <strong class="spoken">${visible(token.text)}</strong>
      <span>token ${index + 1}${token.forced ? " · forced by the grammar" : isDrawn ? " · drawn" : " · the likeliest"}</span>
    </header>
    <${Bars} token=${token} />
    <${Filters} token=${token} config=${config} isDrawn=${isDrawn} />
  `;
}

/** The chosen token and its alternatives, once under the model itself and once in the draw. */
function Bars({ token }) {
  const others = token.alternatives ?? [];
  const rows = others.some((one) => one.token_id === token.token_id) ? others : [...others, token];
  const hasDraw = rows.some((row) => typeof row.probability === "number");
  return html`<table class="bars">
    <thead><tr><th scope="col">Could have been</th><th scope="col">model</th>${hasDraw && html`<th scope="col">in the draw</th>`}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.token_id} class=${row.token_id === token.token_id ? "chosen" : ""}>
      <th scope="row">${visible(row.text)}${row.token_id === token.token_id && html`<span class="unseen"> (chosen)</span>`}</th>
      <td><${Bar} p=${chance(row.logprob)} /></td>
      ${hasDraw && html`<td>${row.probability === 0 ? html`<span class="removed">removed</span>` : html`<${Bar} p=${row.probability} drawn />`}</td>`}
    </tr>`)}</tbody>
  </table>`;
}

const Bar = ({ p, drawn }) =>
  html`<span class=${`bar${drawn ? " drawn" : ""}`} style=${{ "--p": String(p ?? 0) }}><b>${percent(p)}</b></span>`;

/** What grammar, temperature, top-k and top-p each left of the vocabulary. */
function Filters({ token, config, isDrawn }) {
  const left = token.survivors;
  if (!left) return null;
  const steps = [
    ["Vocabulary", left.vocabulary, left.vocabulary],
    ["Grammar", left.grammar, left.vocabulary],
    ...(isDrawn
      ? [
          [`Temperature ${config.temperature ?? 1}`, left.grammar, left.grammar, heat(config.temperature ?? 1)],
          [`Top k ${config.top_k === null ? "all" : (config.top_k ?? "")}`, left.top_k, left.grammar],
          [`Top p ${config.top_p ?? ""}`, left.top_p, left.top_k],
        ]
      : [["Greedy", 1, left.grammar]]),
  ];
  const widest = Math.log(left.vocabulary + 1);
  return html`<table class="filters">
    <thead><tr><th scope="col">Candidates</th><th scope="col">left</th><th scope="col">removed</th></tr></thead>
    <tbody>${steps.map(([name, now, before, note], index) => html`<tr key=${name}>
      <th scope="row">${name}</th>
      <td><span class="bar count" style=${{ "--p": String(Math.log(now + 1) / widest) }}><b>${now.toLocaleString("en")}</b></span></td>
      <td>${index === 0 ? "" : (note ?? (before === now ? "none" : (before - now).toLocaleString("en")))}</td>
    </tr>`)}</tbody>
  </table>`;
}

function heat(temperature) {
  if (temperature === 1) return "none";
  return temperature < 1 ? "sharper odds" : "flatter odds";
}
