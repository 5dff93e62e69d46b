// The labelling page: draws the project's view, keeps each answer at the server before the next image is shown.
"use strict";

const $ = (id) => document.getElementById(id);
const show = (...ids) => ["login", "pools", "work"].forEach((id) => { $(id).hidden = !ids.includes(id); });
const MOST_AT_A_GLANCE = 12;
let finding = false; // who answers by typing goes on so with the next image
let pool = null, page = null, busy = false, waiting = 0;

async function ask(path, body) {
  const answer = await fetch(path, body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(said.message || `the server answered ${answer.status}`), { status: answer.status });
  return said;
}

function say(text, bad = false) {
  $("message").hidden = !text;
  $("message").textContent = text;
  $("message").classList.toggle("bad", bad);
}

// One thing at a time; what fails is told, and nothing is taken as done.
async function doing(work) {
  if (busy) return;
  busy = true;
  try {
    await work();
  } catch (error) {
    if (error.status === 401) { show("login"); $("token").focus(); say(page ? "You were logged out; your answers are kept." : ""); }
    else if (error.status === 409) { say(error.message); page = null; await next().catch((again) => say(again.message, true)); }
    else say(`${error.message}. Your last answer may not be kept: answer again.`, true);
  } finally {
    busy = false;
  }
}

async function pools() {
  clearTimeout(waiting);
  page = null;
  $("help").hidden = true;
  $("progress").textContent = "";
  $("title").textContent = "Labelling";
  const found = (await ask("pools")).pools;
  show("pools");
  const list = $("pools").querySelector("ul");
  list.replaceChildren(...found.map((each) => {
    const item = document.createElement("li"), button = document.createElement("button"), note = document.createElement("span");
    button.type = "button";
    button.textContent = each.name;
    note.className = "note";
    note.textContent = each.closed_to_you ? `Closed to you: ${each.closed_to_you}` : `${each.project} · ${each.done} % done`;
    button.disabled = Boolean(each.closed_to_you);
    button.append(note);
    button.addEventListener("click", () => doing(async () => { pool = each; $("title").textContent = each.project; await next(); }));
    item.append(button);
    return item;
  }));
  if (!found.length) say("No pool is open for people now.");
  list.querySelector("button:enabled")?.focus();
}

async function next() {
  clearTimeout(waiting);
  page = (await ask(`pools/${encodeURIComponent(pool.id)}/page`, {})).page;
  $("help").hidden = false;
  if (page) { say(""); draw(); return; }
  const now = (await ask("pools")).pools.find((each) => each.id === pool.id);
  if (!now) { await pools(); say("This pool is done. Thank you."); return; }
  if (now.closed_to_you) { await pools(); return; }
  show();
  say("No task for you at the moment: others are working on the rest. Looking again …");
  waiting = setTimeout(() => doing(next), 3000);
}

const find = () => document.getElementById("find");
const open = () => page.tasks.filter((task) => !(task.id in page.answers));

function draw() {
  const left = open(), task = left[0];
  show("work");
  $("progress").textContent = `${page.tasks.length - left.length + 1} of ${page.tasks.length} on this page · pool ${page.done} % done`;
  $("skip").hidden = !page.view.skip;
  $("parts").replaceChildren(...page.view.parts.map((part) => {
    if (part.kind === "image") {
      const image = Object.assign(document.createElement("img"), { src: task.inputs[part.field], alt: "The image to label" });
      image.addEventListener("error", () => say("This image cannot be shown: choose the answer for broken images, or skip the page.", true));
      for (const later of left.slice(1, 3)) new Image().src = later.inputs[part.field]; // in the browser's cache when it is its turn
      return image;
    }
    if (part.kind === "text") return Object.assign(document.createElement("p"), { textContent: part.text });
    const group = document.createElement("fieldset"), answers = document.createElement("div");
    group.className = "question";
    answers.className = "answers";
    group.append(Object.assign(document.createElement("legend"), { textContent: part.label }), answers);
    for (const option of part.options) {
      const button = document.createElement("button"), key = Object.entries(page.view.keys).find(([, set]) => set.field === part.field && set.value === option.value)?.[0];
      button.type = "button";
      button.append(option.label);
      if (key) { button.append(" ", Object.assign(document.createElement("kbd"), { textContent: key })); button.setAttribute("aria-keyshortcuts", key); }
      button.addEventListener("click", () => give(part.field, option.value));
      answers.append(button);
    }
    if (part.options.length > MOST_AT_A_GLANCE) group.insertBefore(finder(answers), answers);
    return group;
  }));
  if (finding) find()?.focus();
}

// Of many answers those that hold what is typed; Enter gives the first of them.
function finder(answers) {
  const input = Object.assign(document.createElement("input"), { type: "search", id: "find", placeholder: "Type a part of the answer, then Enter  ( / )", autocomplete: "off" });
  input.setAttribute("aria-label", "Find an answer");
  const buttons = [...answers.children], text = new Map(buttons.map((button) => [button, button.firstChild.textContent.toLowerCase()]));
  answers.classList.add("many");
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const button of buttons) button.hidden = !text.get(button).includes(wanted);
  });
  input.addEventListener("keydown", (event) => {
    const wanted = input.value.trim().toLowerCase(), left = buttons.filter((button) => !button.hidden);
    const chosen = left.find((button) => text.get(button) === wanted) ?? left[0];
    if (event.key === "Enter" && wanted && chosen) { event.preventDefault(); finding = true; chosen.click(); }
    else if (event.key === "Escape") { input.value = ""; input.dispatchEvent(new Event("input")); input.blur(); finding = false; }
  });
  input.addEventListener("focus", () => { finding = true; });
  input.addEventListener("blur", (event) => { if (event.relatedTarget) finding = false; }); // not when the next image takes its place
  return input;
}

function give(field, value) {
  const task = page && open()[0];
  if (!task) return;
  doing(async () => {
    const kept = await ask(`pages/${encodeURIComponent(page.id)}/answers`, { task_id: task.id, output_values: { [field]: value } });
    page.answers[task.id] = { [field]: value };
    if (kept.handed_in) await next();
    else { say(""); draw(); }
  });
}

const undo = () => pool && doing(async () => {
  const { taken_back: back } = await ask(`pools/${encodeURIComponent(pool.id)}/undo`, {});
  if (!back) { say("There is no answer that can be taken back."); return; }
  page = back.page;
  page.tasks.sort((a, b) => (b.id === back.task_id) - (a.id === back.task_id)); // the image comes back at once
  draw();
});

function skip() {
  if (page?.view.skip) $("sure").showModal();
}

$("sure").addEventListener("close", () => {
  if ($("sure").returnValue === "yes" && page) doing(async () => { await ask(`pages/${encodeURIComponent(page.id)}/skip`, {}); page = null; await next(); });
  $("sure").returnValue = "";
});

function instructions() {
  if (!pool) return;
  // The project's HTML, as text and the plainest of its structure: nothing in it can run or load.
  const source = new DOMParser().parseFromString(pool.instructions, "text/html"), target = $("instructions").querySelector("div");
  target.replaceChildren(...copy(source.body));
  $("instructions").showModal();
}

function copy(node) {
  return [...node.childNodes].flatMap((child) => {
    if (child.nodeType === Node.TEXT_NODE) return [document.createTextNode(child.textContent)];
    if (child.nodeType !== Node.ELEMENT_NODE || /^(SCRIPT|STYLE|IFRAME|OBJECT)$/.test(child.tagName)) return [];
    const inner = copy(child);
    if (!/^(P|UL|OL|LI|B|STRONG|I|EM|H[1-6]|BR)$/.test(child.tagName)) return inner;
    const made = document.createElement(child.tagName);
    made.append(...inner);
    return [made];
  });
}

$("login").addEventListener("submit", (event) => {
  event.preventDefault();
  doing(async () => {
    try { await ask("login", { token: $("token").value }); } catch (error) { say(error.message, true); return; }
    $("token").value = "";
    say("");
    if (pool) await next(); else await pools();
  });
});
$("undo").addEventListener("click", undo);
$("skip").addEventListener("click", skip);
$("leave").addEventListener("click", () => doing(pools));
$("help").addEventListener("click", instructions);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.target.matches("input") || document.querySelector("dialog[open]") || $("work").hidden) return;
  const set = page?.view.keys[event.key];
  if (set) { event.preventDefault(); give(set.field, set.value); }
  else if (event.key === "/" && find()) { event.preventDefault(); find().focus(); }
  else if (event.key === "u") undo();
  else if (event.key === "s") skip();
  else if (event.key === "i") instructions();
});
doing(pools);
