"use strict";
// The gallery: cards of the audits that pass the filters, a page at a time, and one audit in detail.
// Text from the data is only ever put in as text, never as HTML.

const PAGE = 60;
const MARKS = { 1: "right", 2: "wrong", 3: "again" };
const MARK_NAMES = { right: "right", wrong: "wrong", again: "look again" };
const SORTS = {
  "as audited": (a) => a.n,
  "expected IoU": (a) => (a.belief ? a.belief.iou : a.said.iou) ?? -1,
  "least certain first": (a) => (a.belief ? Math.max(...a.belief.types) : 2),
  "largest IoU error first": (a) => -(a.error ?? -1),
  "clip": (a) => a.vid,
};
const audits = AUDITS.items;
const place = (id) => document.getElementById(id);
const storage = "marks of " + AUDITS.key;
let marks = readMarks();
let shown = [];
let drawn = 0;
let current = -1;

function readMarks() {
  try {
    return JSON.parse(localStorage.getItem(storage)) || {};
  } catch {
    return {}; // no storage for local files in this browser: marks last until the page is closed
  }
}

function keepMarks() {
  try {
    localStorage.setItem(storage, JSON.stringify(marks));
  } catch {
    return;
  }
}

function element(name, options = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (key === "text") made.textContent = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function option(select, value, text) {
  select.append(element("option", { value, text }));
}

function fillControls() {
  for (const name of Object.keys(SORTS)) option(place("sort"), name, name);
  const lists = {
    type: audits.map((a) => a.said.type),
    "true-type": audits.map((a) => a.true.type),
    action: audits.map((a) => a.said.action),
    run: audits.map((a) => a.run),
  };
  for (const [id, values] of Object.entries(lists)) {
    option(place(id), "", "any");
    for (const value of [...new Set(values)].filter((v) => v !== null).sort()) option(place(id), value, value);
  }
}

function passes(a, wanted) {
  const iou = a.said.iou;
  const inRange = iou === null ? wanted.low <= 0 && wanted.high >= 1 : iou >= wanted.low && iou <= wanted.high;
  return (
    inRange &&
    (!wanted.type || a.said.type === wanted.type) &&
    (!wanted.trueType || a.true.type === wanted.trueType) &&
    (!wanted.action || a.said.action === wanted.action) &&
    (!wanted.run || a.run === wanted.run) &&
    (!wanted.right || answers(a, wanted.right)) &&
    (!wanted.mark || (marks[a.key] || "none") === wanted.mark) &&
    wanted.words.every((word) => a.words.includes(word))
  );
}

function answers(a, wanted) {
  if (wanted === "contradiction") return a.contradictions.length > 0;
  if (wanted === "disagree") return a.others.some((b) => b.type !== a.said.type || b.action !== a.said.action);
  if (wanted === "unread") return a.said.type === null || a.said.iou === null || a.said.action === null;
  return a.right === (wanted === "right");
}

function refresh() {
  const wanted = {
    words: place("search").value.toLowerCase().split(/\s+/).filter(Boolean),
    type: place("type").value,
    trueType: place("true-type").value,
    action: place("action").value,
    run: place("run").value,
    right: place("right").value,
    mark: place("mark").value,
    low: Number(place("low").value || 0),
    high: Number(place("high").value || 1),
  };
  const key = SORTS[place("sort").value];
  shown = audits.filter((a) => passes(a, wanted));
  shown.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.n - b.n));
  place("count").textContent = `${shown.length.toLocaleString("en")} of ${audits.length.toLocaleString("en")} masks`;
  place("cards").replaceChildren();
  drawn = 0;
  drawMore();
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

function card(a, index) {
  const button = element("button", { type: "button", class: "card" });
  button.append(
    layers(a, [a.media.tint], `Frame and mask: ${a.expression}`, "lazy"),
    element("span", { class: "words", text: a.expression }),
    element("span", { class: `said ${a.right === null ? "" : a.right ? "good" : "bad"}`, text: verdictText(a.said) }),
  );
  if (a.true.type !== null) button.append(element("span", { class: "true", text: `truth: ${verdictText(a.true)}` }));
  if (marks[a.key]) button.append(element("span", { class: "true", text: `marked: ${MARK_NAMES[marks[a.key]]}` }));
  button.addEventListener("click", () => open(index));
  return element("li", {}, button);
}

function view(a, files, text) {
  return element("figure", {}, layers(a, files, text, "eager"), element("figcaption", { text }));
}

function chance(name, value) {
  const bar = element("meter", { min: 0, max: 1, value, "aria-label": name });
  return element("div", { class: "chance" }, element("span", { text: name }), bar,
    element("span", { text: `${(100 * value).toFixed(1)}%` }));
}

function verdict(title, audit, text, right = null) {
  const box = element("div", { class: "verdict" }, element("h3", { text: title }));
  box.append(element("strong", { class: right === null ? "" : right ? "good" : "bad", text: verdictText(audit) }));
  if (text) box.append(element("p", { text }));
  return box;
}

function certainty(a) {
  const box = element("div", { class: "verdict" }, element("h3", { text: "How sure" }));
  const b = a.belief;
  if (b.iou !== null) {
    const range = `${b.interval[0].toFixed(2)} to ${b.interval[1].toFixed(2)}`;
    box.append(element("p", { text: `expected IoU ${b.iou.toFixed(4)}, with 90% probability ${range}` }));
  }
  AUDITS.types.forEach((name, i) => box.append(chance(name, b.types[i])));
  box.append(element("hr"));
  AUDITS.actions.forEach((name, i) => box.append(chance(name, b.actions[i])));
  return box;
}

function open(index) {
  if (index < 0 || index >= shown.length) return;
  current = index;
  const a = shown[index];
  history.replaceState(null, "", `#mask-${a.n}`);
  place("detail-head").textContent = a.expression;
  const views = element("div", { class: "views" }, view(a, [a.media.tint], "the frame and its mask"),
    view(a, [a.media.outside], "what the mask keeps"));
  if (a.media.truth) views.append(view(a, [a.media.truth], "outline of the ground truth"));
  const verdicts = element("div", { class: "verdicts" }, verdict("Audit", a.said, a.text, a.right));
  for (const other of a.others) verdicts.append(verdict(`Audit of ${other.name}`, other, other.text, other.right));
  if (a.true.type !== null) verdicts.append(verdict("Truth", a.true, ""));
  if (a.belief) verdicts.append(certainty(a));
  for (const text of a.contradictions) verdicts.append(element("p", { class: "bad", text }));
  const strip = element("img", { class: "strip", src: a.media.strip, alt: "ten frames of the clip" });
  const sound = element("audio", { controls: "", preload: "none", src: a.media.sound, "aria-label": "sound of the clip" });
  const facts = element("p", { class: "true", text: `${a.run} · ${a.uid} · frame ${a.frame} · ${a.mask}` });
  place("detail-body").replaceChildren(views, strip, sound, verdicts, markButtons(a), facts);
  if (!place("detail").open) place("detail").showModal();
}

function openLinked() {
  const linked = shown.findIndex((a) => location.hash === `#mask-${a.n}`);
  if (linked >= 0) open(linked);
}

function markButtons(a) {
  const row = element("div", { class: "marks" });
  for (const [key, name] of Object.entries(MARKS)) {
    const button = element("button", { type: "button", text: `${MARK_NAMES[name]} (${key})`,
      "aria-pressed": String(marks[a.key] === name) });
    button.addEventListener("click", () => mark(name));
    row.append(button);
  }
  return row;
}

function mark(name) {
  const a = shown[current];
  if (marks[a.key] === name) delete marks[a.key];
  else marks[a.key] = name;
  keepMarks();
  place("cards").children[current]?.replaceWith(card(a, current));
  open(current);
}

function saveMarks() {
  const known = audits.filter((a) => marks[a.key]);
  const rows = known.map((a) => ({ uid: a.uid, frame_idx: a.frame, mask_path: a.mask, mark: marks[a.key] }));
  const file = new Blob([JSON.stringify({ marks: rows }, null, 1)], { type: "application/json" });
  const link = element("a", { href: URL.createObjectURL(file), download: "marks.json" });
  link.click();
  URL.revokeObjectURL(link.href);
}

async function loadMarks(file) {
  try {
    const rows = JSON.parse(await file.text()).marks;
    const keys = new Map(audits.map((a) => [JSON.stringify([a.uid, String(a.frame), a.mask]), a.key]));
    for (const row of rows) {
      const key = keys.get(JSON.stringify([row.uid, String(row.frame_idx), row.mask_path]));
      if (key !== undefined && row.mark in MARK_NAMES) marks[key] = row.mark;
    }
  } catch {
    place("count").textContent = "This file holds no marks: expected one that this page has saved.";
    return;
  }
  keepMarks();
  refresh();
}

function onKey(event) {
  if (!place("detail").open || event.target.tagName === "AUDIO") return;
  if (event.key === "ArrowRight" || event.key === "j") open(current + 1);
  else if (event.key === "ArrowLeft" || event.key === "k") open(current - 1);
  else if (event.key in MARKS) mark(MARKS[event.key]);
}

fillControls();
place("controls").addEventListener("input", refresh);
place("controls").addEventListener("submit", (event) => event.preventDefault());
place("save").addEventListener("click", saveMarks);
place("load").addEventListener("click", () => place("marks-file").click());
place("marks-file").addEventListener("change", (event) => loadMarks(event.target.files[0]));
place("previous").addEventListener("click", () => open(current - 1));
place("next").addEventListener("click", () => open(current + 1));
place("close").addEventListener("click", () => place("detail").close());
document.addEventListener("keydown", onKey);
new IntersectionObserver((entries) => entries[0].isIntersecting && drawMore(), { rootMargin: "800px" }).observe(
  place("more"),
);
refresh();
openLinked();
