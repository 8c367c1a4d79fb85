// Page of a mining session: it shows what the server returns, and sends each answer at once.
"use strict";

const THUMBNAIL = 1.7;  // enlargement of small images in the grid,
const LARGE = 4;        // and of the one in question
const find = (id) => document.getElementById(id);
let shown = null;       // what the server returned last
let items = [];         // suggestions in the grid: {image, name, score, answer: null | "yes" | "no" | "skipped"}
let current = -1;       // position of the current one in `items`, -1 without one
let queue = Promise.resolve();  // requests are sent one after the other
const pending = new Set();      // images whose answer has not been received by the server yet

async function request(name, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body),
  };
  let reply;
  try { reply = await fetch(name, options); } catch { throw new Error("The command has ended; start it again to continue."); }
  const value = await reply.json();
  if (!reply.ok) throw new Error(value.error);
  return value;
}

function say(text, wrong = false) {
  find("message").textContent = text;
  find("message").classList.toggle("wrong", wrong);
}

// Does requests in the order of the keys; an error is shown, and the page is loaded again so that it agrees with the file.
function inTurn(work) {
  queue = queue.then(work).catch(async (fault) => {
    say(fault.message, true);
    try { replace(await request(address())); } catch { /* the message above is about the same cause */ }
  });
  return queue;
}

const address = (taxon = shown && shown.taxon) => taxon ? `state?taxon=${encodeURIComponent(taxon)}` : "state";

// Enlarges a small image by a factor, as far as there is space, so that the relative sizes of objects remain visible.
function enlarge(image, factor) {
  image.addEventListener("load", () => { image.style.width = `${factor * image.naturalWidth}px`; });
}

function picture(source, label) {
  const image = document.createElement("img");
  image.src = source;
  image.alt = label;
  image.title = label;
  return image;
}

// Shows a new list of suggestions, the current one first.
function replace(state) {
  items = state.suggestions.filter((one) => !pending.has(one.image)).map((one) => ({...one, answer: null}));
  current = items.length ? 0 : -1;
  update(state);
  drawGrid();
}

function update(state) {
  shown = state;
  drawHeader();
  find("taxon").textContent = state.taxon;
  find("undo").disabled = !state.can_undo;
  find("examples").replaceChildren(...state.examples.map((n) => picture(`example/${n}`, "example")));
  find("found").replaceChildren(...state.confirmed.map((n) => picture(`image/${n}`, "confirmed image")));
  find("found-title").hidden = !state.confirmed.length;
  const more = state.every - state.since;
  find("next").textContent = state.every ? `Ranked again after ${more} more answer${more === 1 ? "" : "s"}.` : "";
  drawCurrent();
}

function drawHeader() {
  find("taxa").replaceChildren(...shown.taxa.map((one) => {
    const button = document.createElement("button");
    const counts = document.createElement("span");
    button.type = "button";
    button.setAttribute("aria-pressed", one.name === shown.taxon);
    counts.className = "counts";
    counts.textContent = ` ${one.yes} found`;
    button.append(one.name, counts);
    button.addEventListener("click", () => inTurn(async () => { say(""); replace(await request(address(one.name))); }));
    return button;
  }));
  const own = shown.taxa.find((one) => one.name === shown.taxon);
  const recent = shown.recent.answers ? ` · last ${shown.recent.answers}: ${shown.recent.yes} yes` : "";
  find("progress").textContent = `${own.yes} yes, ${own.no} no${recent} · ${shown.remaining.toLocaleString("en")} of `
    + `${shown.images.toLocaleString("en")} left`;
}

function drawCurrent() {
  const one = items[current];
  for (const id of ["yes", "no", "skip"]) find(id).disabled = !one;
  find("current").hidden = !one;
  if (!one) {
    find("caption").textContent = shown.remaining ? "No more suggestions in this list: re-rank to continue." :
      "All images have been answered.";
    return;
  }
  find("current").src = `image/${one.image}`;
  find("current").alt = one.name;
  find("caption").textContent = `${one.name} · score ${one.score.toFixed(3)}`;
}

function drawGrid() {
  find("grid").replaceChildren(...items.map((one, position) => {
    const item = document.createElement("button");
    const frame = document.createElement("div");
    const mark = document.createElement("b");
    const name = document.createElement("span");
    item.type = "button";
    item.className = "suggestion";
    item.dataset.image = one.image;
    frame.className = "picture";
    const image = picture(`image/${one.image}`, one.name);
    enlarge(image, THUMBNAIL);
    frame.append(image);
    mark.className = "mark";
    name.textContent = one.name.split("/").pop();
    item.append(frame, mark, name);
    item.addEventListener("click", () => { choose(position); item.blur(); });
    return item;
  }));
  drawMarks();
}

function drawMarks() {
  [...find("grid").children].forEach((item, position) => {
    const {answer} = items[position];
    item.className = `suggestion ${answer || ""}`;
    item.setAttribute("aria-current", position === current);
    item.querySelector(".mark").textContent = {yes: "✓", no: "✗"}[answer] || "";
    item.setAttribute("aria-label", `${items[position].name}${answer ? `, ${answer}` : ""}`);
  });
  find("grid").children[current]?.scrollIntoView({block: "nearest"});
}

function choose(position) {
  current = position;
  drawCurrent();
  drawMarks();
}

// Goes to the next image without an answer; after the last one, to one that was skipped.
function goOn() {
  const open = (from, wanted) => items.findIndex((one, position) => position >= from && one.answer === wanted);
  const next = [open(current + 1, null), open(0, null), open(0, "skipped")].find((position) => position >= 0);
  choose(next === undefined ? -1 : next);
}

function answer(yes) {
  const one = items[current];
  if (!one) return;
  const {taxon} = shown;
  one.answer = yes ? "yes" : "no";
  pending.add(one.image);
  say("");
  goOn();
  inTurn(async () => {
    const state = await request("answer", {image: one.image, taxon, yes}).finally(() => pending.delete(one.image));
    if (state.taxon !== shown.taxon) return;
    if (state.ranked) ranked(state);
    else if (current < 0 && state.suggestions.length) replace(state);
    else update(state);
  });
}

function ranked(state) {
  const own = state.taxa.find((one) => one.name === state.taxon);
  replace(state);
  say(`Ranked again. Examples: ${own.examples + own.yes}, rejected images: ${own.no}.`);
}

function skip() {
  if (!items[current]) return;
  items[current].answer ??= "skipped";
  goOn();
}

function undo() {
  inTurn(async () => {
    const state = await request("undo", {});
    if (!state.undone) return say("There is no answer to undo.");
    const other = state.taxon !== shown.taxon;
    if (other) replace(state);
    let position = items.findIndex((one) => one.image === state.undone.image);
    if (position < 0) { items.unshift({...state.undone, answer: null}); position = 0; }
    items[position].answer = null;
    current = position;
    update(state);
    drawGrid();
    say(`Took back the answer on ${state.undone.name}.`);
  });
}

const rank = () => inTurn(async () => ranked(await request("rank", {taxon: shown.taxon})));

function finish() {
  inTurn(async () => {
    await request("finish", {});
    const end = document.createElement("div");
    end.id = "done";
    end.textContent = "Finished. The answers and the ranking are in the files that the command printed; this page can be closed.";
    document.body.classList.add("done");
    document.body.append(end);
  });
}

const KEYS = {y: () => answer(true), ArrowRight: () => answer(true), n: () => answer(false), ArrowLeft: () => answer(false),
  s: skip, ArrowDown: skip, u: undo, Backspace: undo, r: rank};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.body.classList.contains("done")) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  if (!event.repeat) act();
});

enlarge(find("current"), LARGE);
for (const [id, act] of Object.entries({yes: () => answer(true), no: () => answer(false), skip, undo, rank, finish})) {
  find(id).addEventListener("click", () => { act(); find(id).blur(); });
}
inTurn(async () => replace(await request("state")));
