// The picture large, with the boxes of one answer or of all of them, and a clip's frames.
import { html, letter, useRef, useState } from "./ui.js";
import { Boxes, Frames, Shown } from "./picture.js";
import { seedOf } from "./runs.js";

const HUE = { A: 262, B: 45, C: 160, D: 340 }; // as --a, --b, … in the style sheet

export function Stage({ source, runs, asked, isOver }) {
  const [size, setSize] = useState("");
  const video = useRef();
  const isAnswered = Boolean(source) && asked?.source === source;
  const boxed = isAnswered ? runs.filter((run) => run.boxes.length) : [];
  const manifest = isAnswered ? runs.find((run) => run.response?.video)?.response.video : null;
  return html`<figure class=${`card stage${isOver ? " over" : ""}`} aria-label="Picture">
    ${source
      ? html`<${Shown} source=${source} onSize=${setSize} videoRef=${video}>
          ${boxed.length > 0 && html`<${Overlay} runs=${boxed} onPicture=${asked.onPicture} />`}
        <//>`
      : html`<p class="nothing">Drop, paste or choose a picture or a clip</p>`}
    ${isOver && html`<p class="nothing drop">Drop it here</p>`}
    <figcaption>
      <span class="name">${source?.name ?? ""}</span> <span class="soft">${source ? size : ""}</span>
      ${boxed.length > 0 && html`<${WhichBoxes} runs=${boxed} asked=${asked} />`}
    </figcaption>
    ${manifest && html`<${Frames} source=${source} manifest=${manifest} videoRef=${video} />`}
  </figure>`;
}

function Overlay({ runs, onPicture }) {
  if (onPicture === "all") {
    return runs.map((run) => html`<${Boxes} key=${run.id} boxes=${run.boxes} hue=${HUE[letter(run.column)]} />`);
  }
  const run = runs.find((one) => one.id === onPicture) ?? runs[0];
  return html`<${Boxes} key=${run.id} boxes=${run.boxes} withLabels />`;
}

function WhichBoxes({ runs, asked }) {
  return html`<label class="which">Boxes of <select aria-label="Boxes of" value=${String(asked.onPicture)} onChange=${({ target }) =>
    asked.show(target.value === "all" ? "all" : Number(target.value))}>
    ${runs.map((run) => html`<option key=${run.id} value=${String(run.id)}>${letter(run.column)}, seed ${seedOf(run)}</option>`)}
    ${runs.length > 1 && html`<option value="all">all answers</option>`}
  </select></label>`;
}
