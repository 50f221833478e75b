// What an answer says, while it is written and after; which answers are the same, and where others differ.

/** The answer in words: of a finished run its result, of a running one what can be read so far. */
export function words(run) {
  const { response } = run;
  if (!response) return readSoFar(run.text);
  const { result } = response;
  if (typeof result === "string") return readSoFar(result) || result;
  return result.answer ?? result.caption ?? result.sentence;
}

/** The readable part of a text that may be the beginning of a JSON document; a whole one of another form as it is. */
export function readSoFar(text) {
  const body = text.replace(/^\s*<answer>/, "").replace(/<\/answer>\s*$/, "");
  if (!body.trimStart().startsWith("{")) return body;
  const document = closed(body);
  const inner = document && Object.values(document)[0];
  const said = inner && typeof inner === "object" ? (inner.answer ?? inner.caption ?? inner.sentence) : undefined;
  return typeof said === "string" ? said : isWhole(body) ? body : "";
}

function isWhole(text) {
  try {
    return Boolean(JSON.parse(text));
  } catch {
    return false;
  }
}

/** The beginning of a JSON document with its open strings, lists and objects closed; null where that is no JSON. */
function closed(text) {
  const open = [];
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const one = text[at];
    if (inString && one === "\\") at += 1;
    else if (one === '"') inString = !inString;
    else if (!inString && (one === "{" || one === "[")) open.push(one === "{" ? "}" : "]");
    else if (!inString && (one === "}" || one === "]")) open.pop();
  }
  const ends = open.reverse().join("");
  for (const tail of [inString ? `"${ends}` : ends, `:null${ends}`, `":null${ends}`, `null${ends}`]) {
    try {
      return JSON.parse(text + tail);
    } catch {
      continue;
    }
  }
  return null;
}

/** Finished runs by what they answered, most frequent first: [{key, text, boxes, runs}]. */
export function groups(runs) {
  const byKey = new Map();
  for (const run of runs.filter((one) => one.response)) {
    const key = JSON.stringify(run.response.result);
    const group = byKey.get(key) ?? { key, text: words(run), boxes: run.boxes.length, runs: [] };
    group.runs.push(run);
    byKey.set(key, group);
  }
  return [...byKey.values()].sort((one, other) => other.runs.length - one.runs.length);
}

const pieces = (text) => text.match(/[\p{L}\p{N}]+|\s+|[^\p{L}\p{N}\s]/gu) ?? [];
const LONGEST = 600; // pieces; a longer answer is shown without marks

/** ``text`` in parts {text, kind}: "same", "new" (not in the reference here), "gone" (only there). */
export function differences(text, reference) {
  const [ours, theirs] = [pieces(text), pieces(reference)];
  if (text === reference || ours.length > LONGEST || theirs.length > LONGEST) return [{ text, kind: "same" }];
  const common = lengths(ours, theirs);
  const parts = [];
  const add = (piece, kind) => {
    if (parts.at(-1)?.kind === kind) parts.at(-1).text += piece;
    else parts.push({ text: piece, kind });
  };
  let [i, j] = [0, 0];
  while (i < ours.length || j < theirs.length) {
    if (i < ours.length && ours[i] === theirs[j]) {
      add(ours[i], "same");
      [i, j] = [i + 1, j + 1];
    } else if (j < theirs.length && (i === ours.length || common[i][j + 1] >= common[i + 1][j])) {
      add(theirs[j], "gone");
      j += 1;
    } else {
      add(ours[i], "new");
      i += 1;
    }
  }
  return parts.filter((part, index) => part.kind !== "gone" || ![parts[index - 1], parts[index + 1]].some(isNew));
}

const isNew = (part) => part?.kind === "new"; // what stands in the place of words that are gone

/** [i][j]: length of the longest common subsequence of ours from i and theirs from j. */
function lengths(ours, theirs) {
  const table = Array.from({ length: ours.length + 1 }, () => new Uint16Array(theirs.length + 1));
  for (let i = ours.length - 1; i >= 0; i -= 1) {
    for (let j = theirs.length - 1; j >= 0; j -= 1) {
      table[i][j] = ours[i] === theirs[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
    }
  }
  return table;
}

/** Index of the first token that differs from another run's, -1 where none does. */
export function firstDifference(tokens, reference) {
  const at = tokens.findIndex((token, index) => token.token_id !== reference[index]?.token_id);
  return at === -1 && reference.length > tokens.length ? tokens.length - 1 : at;
}
