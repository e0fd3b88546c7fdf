"use strict";
// What people have marked: kept in the browser, saved to a file that scripts.worklist reads, and read from one.

const MARKS = { 1: "right", 2: "wrong", 3: "again" }; // by key of the keyboard
const MARK_NAMES = { right: "right", wrong: "wrong", again: "look again" };
const audits = AUDITS.items;
const place = (id) => document.getElementById(id);
const storage = "marks of " + AUDITS.key;
const marks = readMarks(); // number of an audit -> its mark

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

function saveMarks() {
  const known = audits.filter((a) => marks[a.n]);
  const rows = known.map((a) => ({ uid: a.uid, frame_idx: a.frame, mask_path: a.mask, mark: marks[a.n] }));
  const file = new Blob([JSON.stringify({ marks: rows }, null, 1)], { type: "application/json" });
  const link = element("a", { href: URL.createObjectURL(file), download: "marks.json" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function loadMarks(file) {
  const name = (uid, frame, mask) => JSON.stringify([uid, String(frame), mask]);
  let rows, foreign = 0;
  try {
    rows = JSON.parse(await file.text()).marks;
    const numbers = new Map(audits.map((a) => [name(a.uid, a.frame, a.mask), a.n]));
    for (const row of rows) {
      const number = numbers.get(name(row.uid, row.frame_idx, row.mask_path));
      if (number !== undefined && row.mark in MARK_NAMES) marks[number] = row.mark;
      else foreign++;
    }
  } catch {
    place("count").textContent = "This file holds no marks: expected one that this page has saved.";
    return;
  }
  keepMarks();
  refresh();
  if (foreign) place("count").append(`. ${foreign} of ${rows.length} marks in the file are of masks that this page lacks.`);
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
