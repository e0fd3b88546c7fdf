"use strict";
// Cards of the audits that pass the filters, a page at a time.
// Text from the data is only ever put in as text, never as HTML.

const PAGE = 60;
const SORTS = {
  "as audited": (a) => a.n,
  "expected IoU": (a) => (a.belief ? a.belief.iou : a.said.iou) ?? -1,
  "least certain first": (a) => a.sure ?? 2,
  "largest IoU error first": (a) => -(a.error ?? -1),
  "clip": (a) => a.vid,
};
let shown = [];
let drawn = 0;

for (const a of audits) {
  a.words = `${a.expression} ${a.uid} ${a.vid} ${a.mask}`.toLowerCase();
  a.sure = a.belief ? Math.max(...a.belief.types) : null;
}

function option(select, value, text) {
  select.append(element("option", { value, text }));
}

function fillControls() {
  for (const name of Object.keys(SORTS)) option(place("sort"), name, name);
  const lists = {
    type: (a) => a.said.type,
    "true-type": (a) => a.true.type,
    action: (a) => a.said.action,
    split: (a) => a.split,
    category: (a) => a.category,
    run: (a) => a.run,
  };
  for (const [id, value] of Object.entries(lists)) {
    const values = [...new Set(audits.map(value))].filter((v) => v !== null).sort();
    option(place(id), "", "any");
    for (const one of values) option(place(id), one, one);
    place(id).parentElement.hidden = values.length < 2 && id !== "type" && id !== "action";
  }
  place("disagree").hidden = audits.every((a) => !a.others.length);
}

function refresh() {
  const chosen = (id) => place(id).value;
  const number = (id, otherwise) => (chosen(id) === "" ? otherwise : Number(chosen(id)));
  const wanted = {
    words: chosen("search").toLowerCase().split(/\s+/).filter(Boolean),
    equal: [
      [(a) => a.said.type, chosen("type")],
      [(a) => a.true.type, chosen("true-type")],
      [(a) => a.said.action, chosen("action")],
      [(a) => a.split, chosen("split")],
      [(a) => a.category, chosen("category")],
      [(a) => a.run, chosen("run")],
      [(a) => marks[a.n] || "none", chosen("mark")],
    ].filter(([, value]) => value),
    answer: chosen("answer"),
    low: number("low", 0),
    high: number("high", 1),
    sure: number("sure", 1),
  };
  const key = SORTS[chosen("sort")];
  const keyed = audits.filter((a) => passes(a, wanted)).map((a) => ({ key: key(a), a }));
  keyed.sort((x, y) => (x.key < y.key ? -1 : x.key > y.key ? 1 : x.a.n - y.a.n));
  shown = keyed.map(({ a }) => a);
  place("count").textContent = `${shown.length.toLocaleString("en")} of ${audits.length.toLocaleString("en")} masks`;
  place("cards").replaceChildren();
  drawn = 0;
  drawMore();
}

function passes(a, wanted) {
  const iou = a.said.iou;
  const inRange = iou === null ? wanted.low <= 0 && wanted.high >= 1 : iou >= wanted.low && iou <= wanted.high;
  return (
    inRange &&
    (a.sure === null || a.sure <= wanted.sure) &&
    wanted.equal.every(([of, value]) => of(a) === value) &&
    (!wanted.answer || answers(a, wanted.answer)) &&
    wanted.words.every((word) => a.words.includes(word))
  );
}

function answers(a, wanted) {
  if (wanted === "contradiction") return a.contradictions.length > 0;
  if (wanted === "unread") return a.said.type === null || a.said.iou === null || a.said.action === null;
  if (wanted === "unlike") return a.unlike !== null && a.unlike > 1;
  if (wanted === "disagree") return a.others.some((b) => b.type !== a.said.type || b.action !== a.said.action);
  return a.right === (wanted === "right");
}

function drawMore() {
  const next = shown.slice(drawn, drawn + PAGE);
  place("cards").append(...next.map((a, i) => card(a, drawn + i)));
  drawn += next.length;
}

function layers(a, files, alt, loading) {
  const [width, height] = a.media.size;
  const images = [a.media.frame, ...files].map((src, i) =>
    element("img", { src, alt: i ? "" : alt, width, height, loading, decoding: "async" }),
  );
  return element("span", { class: "layers" }, ...images);
}

function verdictText(audit) {
  const iou = audit.iou === null ? "no IoU" : audit.iou.toFixed(4);
  return `${audit.type ?? "no type"} · ${iou} · ${audit.action ?? "no action"}`;
}

function sureText(a) {
  const expected = a.belief.iou === null ? "" : `expected ${a.belief.iou.toFixed(2)} · `;
  const likeliest = AUDITS.types[a.belief.types.indexOf(a.sure)];
  return `${expected}${a.sure > 0 ? `${likeliest} ${Math.round(100 * a.sure)}%` : "no known type"}`;
}

function card(a, index) {
  const button = element("button", { type: "button", class: "card" });
  button.append(
    layers(a, [a.media.tint], `Frame and mask: ${a.expression}`, "lazy"),
    element("span", { class: "words", text: a.expression }),
    element("span", { class: `said ${a.right === null ? "" : a.right ? "good" : "bad"}`, text: verdictText(a.said) }),
  );
  if (a.belief) button.append(element("span", { class: "true", text: sureText(a) }));
  if (a.true.type !== null) button.append(element("span", { class: "true", text: `truth: ${verdictText(a.true)}` }));
  for (const b of a.others) button.append(element("span", { class: "true", text: `${b.name}: ${verdictText(b)}` }));
  if (marks[a.n]) button.append(element("span", { class: "true", text: `marked: ${MARK_NAMES[marks[a.n]]}` }));
  button.addEventListener("click", () => open(index));
  return element("li", {}, button);
}
