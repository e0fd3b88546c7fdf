"use strict";
// One audit in detail, and the keyboard. Loaded last: it starts the page.

let current = -1;

function view(a, files, text) {
  return element("figure", {}, layers(a, files, text, "eager"), element("figcaption", { text }));
}

// The frame inside of the mask, black elsewhere. The mask's picture is half transparent inside: drawn over itself it
// becomes opaque, and the frame is painted only where it is.
function kept(a, text) {
  const [width, height] = a.media.size;
  const canvas = element("canvas", { width, height, role: "img", "aria-label": text });
  const pictures = [a.media.tint, a.media.frame].map((src) => Object.assign(new Image(), { src }));
  Promise.all(pictures.map((picture) => picture.decode())).then(() => {
    const [tint, frame] = pictures;
    const pen = canvas.getContext("2d");
    for (let i = 0; i < 10; i++) pen.drawImage(tint, 0, 0);
    pen.globalCompositeOperation = "source-in";
    pen.drawImage(frame, 0, 0);
    pen.globalCompositeOperation = "destination-over";
    pen.fillRect(0, 0, width, height);
  });
  return element("figure", {}, canvas, element("figcaption", { text }));
}

function chance(name, value) {
  const bar = element("meter", { min: 0, max: 1, value, "aria-label": name });
  const percent = element("span", { text: `${(100 * value).toFixed(1)}%` });
  return element("div", { class: "chance" }, element("span", { text: name }), bar, percent);
}

// A bar for each name, and one for what fell on none of them.
function chances(names, values) {
  const rest = 1 - values.reduce((sum, value) => sum + value, 0);
  const bars = names.map((name, i) => chance(name, values[i]));
  return rest < 0.0005 ? bars : [...bars, chance("none of these", rest)];
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
  box.append(...chances(AUDITS.types, b.types), element("hr"), ...chances(AUDITS.actions, b.actions));
  return box;
}

function open(index) {
  if (index < 0 || index >= shown.length) return;
  current = index;
  const a = shown[index];
  history.replaceState(null, "", `#mask-${a.n}`);
  place("detail-head").textContent = a.expression;
  place("previous").disabled = index === 0;
  place("next").disabled = index === shown.length - 1;
  const views = element("div", { class: "views" }, view(a, [a.media.tint], "the frame and its mask"),
    kept(a, "what the mask keeps"));
  if (a.media.truth) views.append(view(a, [a.media.truth], "outline of the ground truth"));
  const verdicts = element("div", { class: "verdicts" }, verdict("Audit", a.said, a.text, a.right));
  for (const other of a.others) verdicts.append(verdict(`Audit of ${other.name}`, other, other.text, other.right));
  if (a.true.type !== null) verdicts.append(verdict("Truth", a.true, ""));
  if (a.belief) verdicts.append(certainty(a));
  const doubts = [...a.contradictions];
  if (a.unlike !== null && a.unlike > 1) {
    doubts.push(`the clip is unlike training's (${a.unlike.toFixed(1)} times as far as any of them): a guess`);
  }
  const strip = element("img", { class: "strip", src: a.media.strip, alt: "ten frames of the clip" });
  const sound = element("audio", { controls: "", preload: "none", src: a.media.sound, "aria-label": "sound of the clip" });
  const where = [a.run, a.uid === a.mask ? a.vid : a.uid, a.when, a.mask].filter((text) => text !== null).join(" · ");
  const facts = [where, ...a.carried].map((text) => element("p", { class: "true fact", text }));
  const warnings = doubts.map((text) => element("p", { class: "bad", text }));
  place("detail-body").replaceChildren(views, markButtons(a), verdicts, ...warnings, strip, sound, ...facts);
  if (!place("detail").open) place("detail").showModal();
}

function openLinked() {
  const linked = shown.findIndex((a) => location.hash === `#mask-${a.n}`);
  if (linked >= 0) open(linked);
}

function markButtons(a) {
  const row = element("div", { class: "marks", role: "group", "aria-label": "Mark this mask" });
  for (const [key, name] of Object.entries(MARKS)) {
    const pressed = String(marks[a.n] === name);
    const button = element("button", { type: "button", text: `${MARK_NAMES[name]} (${key})`, "aria-pressed": pressed });
    button.value = name;
    button.addEventListener("click", () => mark(name));
    row.append(button);
  }
  return row;
}

function mark(name) {
  const a = shown[current];
  if (marks[a.n] === name) delete marks[a.n];
  else marks[a.n] = name;
  keepMarks();
  place("cards").children[current]?.replaceWith(card(a, current));
  for (const button of place("detail-body").querySelectorAll(".marks button")) {
    button.setAttribute("aria-pressed", String(marks[a.n] === button.value));
  }
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
