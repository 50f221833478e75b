// A picture or clip with boxes on it, and the frames of a clip that the model saw.
import { html, percent, useEffect, useRef, useState } from "./ui.js";

const SCALE = 1024; // boxes are in [0, 1024] of the picture's width and height
const HUES = [285, 195, 330, 75, 230, 120, 10, 165];
const COLOURS = { red: 25, brown: 45, orange: 58, gold: 85, yellow: 95, green: 148, cyan: 205, blue: 258, violet: 300, purple: 310, pink: 355 };
const MOST_FRAMES = 24;

/** Phrases to hues, in order of appearance; one that names a colour has that one. */
export function hues(boxes) {
  const phrases = [...new Set(boxes.map((box) => box.phrase))];
  return new Map(phrases.map((phrase, index) => [phrase, named(phrase) ?? HUES[index % HUES.length]]));
}

const named = (phrase) => phrase.toLowerCase().split(/\W+/).map((word) => COLOURS[word]).find(Boolean);

/** Boxes over whatever fills the same parent. hue: of all of them; by phrase where it is not given. */
export function Boxes({ boxes, hue, withLabels }) {
  const colours = hues(boxes);
  return html`<div class="boxes" aria-hidden="true">${boxes.map(({ phrase, box: [x1, y1, x2, y2], confidence }, index) => {
    const style = {
      left: share(x1),
      top: share(y1),
      width: share(x2 - x1),
      height: share(y2 - y1),
      "--hue": String(hue ?? colours.get(phrase)),
    };
    const label = confidence === null || confidence === undefined ? phrase : `${phrase} ${percent(confidence)}`;
    return html`<div key=${index} class="box" style=${style} title=${label}>
      ${withLabels && html`<span class=${`${y1 < 60 ? "inside" : ""} ${x1 > SCALE / 2 ? "left" : ""}`}>${label}</span>`}
    </div>`;
  })}</div>`;
}

const share = (value) => `${(100 * value) / SCALE}%`;

/** The picture or clip itself. onSize: called with "640 × 480" once it is known. */
export function Shown({ source, onSize, videoRef, children }) {
  const [isBroken, setBroken] = useState(false);
  useEffect(() => setBroken(false), [source.url]);
  const size = (width, height) => onSize?.(width && height ? `${width} × ${height}` : "");
  return html`<div class="shown">
    ${isBroken
      ? html`<p class="nothing">This browser cannot show ${source.name}; the model may read it all the same.</p>`
      : source.isClip
        ? html`<video src=${source.url} ref=${videoRef} controls muted playsinline preload="auto" aria-label=${source.name}
            onLoadedMetadata=${({ target }) => size(target.videoWidth, target.videoHeight)}
            onError=${() => setBroken(true)}></video>`
        : html`<img src=${source.url} alt=${source.name} draggable=${false}
            onLoad=${({ target }) => size(target.naturalWidth, target.naturalHeight)}
            onError=${() => setBroken(true)} />`}
    ${!isBroken && children}
  </div>`;
}

/** Which frames of a clip were seen: marks on its time, and the frames themselves; one is a way to its place. */
export function Frames({ source, manifest, videoRef }) {
  const { duration, timestamps, frame_indices: indices, effective_fps: fps } = manifest;
  const shown = spread(timestamps.length);
  const seek = (time) => {
    if (videoRef.current) videoRef.current.currentTime = time;
  };
  const total = Math.max(duration, ...timestamps, 0.001);
  return html`<section class="frames" aria-label="Frames the model saw">
    <p><strong>${timestamps.length}</strong> frames seen of ${duration.toFixed(1)} s, ${Number(fps.toFixed(2))} a second</p>
    <div class="time" aria-hidden="true">${timestamps.map((time) => html`<i key=${time} style=${{ left: `${(100 * time) / total}%` }}></i>`)}</div>
    <div class="film">${shown.map((index) => html`<button type="button" key=${index}
      aria-label=${`Frame ${indices[index]} at ${timestamps[index].toFixed(2)} seconds`} onClick=${() => seek(timestamps[index])}>
      <${Still} url=${source.isClip ? source.url : null} time=${timestamps[index]} /><span>${timestamps[index].toFixed(2)} s</span>
    </button>`)}</div>
    ${shown.length < timestamps.length && html`<p class="soft">${shown.length} of them shown.</p>`}
  </section>`;
}

/** Indices of at most MOST_FRAMES of count frames, evenly spread. */
function spread(count) {
  const shown = Math.min(count, MOST_FRAMES);
  return Array.from({ length: shown }, (_, index) => Math.round((index * (count - 1)) / Math.max(shown - 1, 1)));
}

/** One frame of a clip, drawn by the browser at that time. */
function Still({ url, time }) {
  const canvas = useRef();
  useEffect(() => {
    if (!url) return undefined;
    const clip = Object.assign(document.createElement("video"), { muted: true, preload: "auto", src: url });
    clip.addEventListener("loadedmetadata", () => (clip.currentTime = Math.min(time + 0.001, clip.duration)));
    clip.addEventListener("seeked", () => {
      if (!canvas.current) return;
      canvas.current.height = Math.round((canvas.current.width * clip.videoHeight) / clip.videoWidth);
      canvas.current.getContext("2d").drawImage(clip, 0, 0, canvas.current.width, canvas.current.height);
      clip.removeAttribute("src");
    });
    return () => clip.removeAttribute("src");
  }, [url, time]);
  return html`<canvas ref=${canvas} width="120" height="80"></canvas>`;
}
