// The picture or clip that is asked about: dropped, pasted, picked, named by its address, or one of the samples.
import { html, useEffect, useRef, useState } from "./ui.js";
import { getFile } from "./api.js";

const CLIP_NAME = /\.(mp4|m4v|mov|mkv|webm|avi|ogv)$/i;

/** A file of one's own. */
export const ofFile = (file) => ({
  kind: "file",
  name: file.name || `pasted.${file.type.split("/")[1] ?? "png"}`,
  url: URL.createObjectURL(file),
  blob: file,
  isClip: file.type.startsWith("video/") || CLIP_NAME.test(file.name),
});

/** Something on the web, which the server fetches itself. */
export const ofUrl = (url) => {
  const { pathname, hostname } = new URL(url);
  return { kind: "url", name: decodeURIComponent(pathname.split("/").at(-1)) || hostname, url, isClip: CLIP_NAME.test(pathname) };
};

/** One of the server's samples. Throws ApiError. */
export async function ofSample({ name, url }) {
  const blob = await getFile(url);
  return { ...ofFile(new File([blob], name, { type: blob.type })), kind: "sample" };
}

const isAddress = (text) => /^https?:\/\/\S+$/.test(text) && URL.canParse(text);

/** Whatever is dropped or pasted anywhere on the page becomes the source. Returns whether something hovers over it. */
export function useDropAndPaste(choose) {
  const [isOver, setOver] = useState(false);
  const latest = useRef(choose);
  latest.current = choose;
  useEffect(() => {
    const drop = (event) => {
      event.preventDefault();
      setOver(false);
      take(event.dataTransfer, latest.current);
    };
    const over = (event) => {
      event.preventDefault();
      setOver(true);
    };
    const leave = (event) => event.relatedTarget === null && setOver(false);
    const paste = (event) => {
      const isText = event.target.closest?.("textarea, input");
      if (event.clipboardData.files.length || !isText) take(event.clipboardData, latest.current);
    };
    const listeners = { drop, dragover: over, dragleave: leave, paste };
    for (const [name, listener] of Object.entries(listeners)) document.addEventListener(name, listener);
    return () => {
      for (const [name, listener] of Object.entries(listeners)) document.removeEventListener(name, listener);
    };
  }, []);
  return isOver;
}

function take(data, choose) {
  const [file] = data.files;
  const text = (data.getData("text/uri-list") || data.getData("text/plain")).trim();
  if (file) choose(ofFile(file));
  else if (isAddress(text)) choose(ofUrl(text));
}

/** The ways to a source: a file, an address, a sample. thumbs: name to object URL. */
export function SourcePicker({ samples, source, choose, chooseSample }) {
  const file = useRef();
  const pick = (event) => {
    if (event.target.files.length) choose(ofFile(event.target.files[0]));
    event.target.value = "";
  };
  return html`<div class="picker">
    <ul class="samples" aria-label="Samples">${samples.map((sample) => html`<li key=${sample.name}>
      <button type="button" aria-pressed=${source?.kind === "sample" && source.name === sample.name} aria-label=${`Sample ${sample.name}`}
        title=${sample.name} onClick=${() => chooseSample(sample)}><${Thumb} sample=${sample} /></button>
    </li>`)}</ul>
    <div class="ways">
      <button type="button" class="button" onClick=${() => file.current.click()}>Choose a file</button>
      <input type="file" ref=${file} hidden accept="image/*,video/*" aria-label="Picture or clip" onChange=${pick} />
      <${Address} choose=${choose} />
    </div>
  </div>`;
}

function Thumb({ sample }) {
  const [url, setUrl] = useState(null);
  useEffect(() => {
    let made = null;
    getFile(sample.url).then((blob) => setUrl((made = URL.createObjectURL(blob))), () => {});
    return () => made && URL.revokeObjectURL(made);
  }, [sample.url]);
  if (CLIP_NAME.test(sample.name)) return html`<video src=${url} muted preload="metadata" tabindex="-1"></video>`;
  return url ? html`<img src=${url} alt="" />` : html`<span></span>`;
}

function Address({ choose }) {
  const [text, setText] = useState("");
  const isWrong = text !== "" && !isAddress(text);
  const go = (event) => {
    event.preventDefault();
    if (!isAddress(text)) return;
    choose(ofUrl(text));
    setText("");
  };
  return html`<form class="address" onSubmit=${go}>
    <input type="url" aria-label="Address of a picture or clip" placeholder="or an address: https://…" value=${text}
      aria-invalid=${isWrong} onInput=${(event) => setText(event.target.value.trim())} />
    <button type="submit" class="button quiet" disabled=${!text || isWrong}>Take</button>
  </form>`;
}
