// The labelling page: draws the project's view, keeps each answer at the server before the next image is shown.
import { choices } from "./choices.js";
import { character, Typed } from "./keys.js";
import { Picture } from "./picture.js";
import { plainHtml } from "./plain.js";

const LOOK_AGAIN_MILLISECONDS = 3000, PATIENCE_MILLISECONDS = 20_000;
const $ = (id) => document.getElementById(id);
const show = (...ids) => ["login", "done", "pools", "work"].forEach((id) => { $(id).hidden = !ids.includes(id); });
let pool = null, page = null, busy = false, waiting = 0;
const named = () => location.hash.slice(1);
let wanted = named(); // the pool that the address names, until it was opened once
let drawn = "", pictures = [], questions = []; // what stands on the page now
const typed = new Typed($("typed"));

async function ask(path, body) {
  const post = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(path, { ...post, signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) })
    .catch(() => { throw new Error("The server did not answer"); });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(said.message || `The server answered ${answer.status}`), { status: answer.status });
  return said;
}

const inPool = (what) => `pools/${encodeURIComponent(pool.id)}/${what}`;
const onPage = (what) => `pages/${encodeURIComponent(page.id)}/${what}`;

function tell(id, text, bad = false) {
  $(id).hidden = !text;
  if ($(id).textContent !== text) $(id).textContent = text;
  $(id).classList.toggle("bad", bad);
}

const say = (text, bad) => tell("message", text, bad);

// One thing at a time; what fails is told, and nothing is taken as done.
async function doing(work) {
  if (busy) return;
  busy = true;
  try {
    await work();
  } catch (error) {
    if (error.status === 401) loggedOut();
    else if (error.status === 409) { await next().catch(() => {}); say(error.message); }
    else say(`${error.message}. Your last answer may not be kept: answer again.`, true);
  } finally {
    busy = false;
  }
}

function loggedOut(text = page ? "You were logged out; your answers are kept." : "") {
  clearTimeout(waiting);
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  page = null;
  $("help").hidden = $("logout").hidden = true;
  $("progress").textContent = "";
  tell("warning", "");
  show("login");
  say(text);
  $("token").focus();
}

async function pools() {
  clearTimeout(waiting);
  page = null;
  $("help").hidden = true;
  $("progress").textContent = "";
  $("title").textContent = document.title = "Labelling";
  tell("warning", "");
  const found = (await ask("pools")).pools, linked = wanted, its = found.find((each) => each.id === linked);
  wanted = "";
  $("logout").hidden = false;
  if (its && !its.closed_to_you) { pool = its; await next(); return; }
  show("pools");
  list(found, "Open pools");
  say(!found.length ? "No pool is open for people now." : linked && !its ? "The pool of your link is not open." : "");
  $("pools").querySelector("button:enabled")?.focus();
}

function list(found, title) {
  $("pools-title").textContent = title;
  $("pools").querySelector("ul").replaceChildren(...found.map((each) => {
    const item = document.createElement("li"), button = document.createElement("button"), note = document.createElement("span");
    button.type = "button";
    button.append(Object.assign(document.createElement("bdi"), { textContent: each.name }), note);
    note.className = "note";
    note.textContent = each.closed_to_you ? `Closed to you: ${each.closed_to_you}` : `${each.project} · ${each.done} % done`;
    button.disabled = Boolean(each.closed_to_you);
    button.addEventListener("click", () => doing(async () => { pool = each; await next(); }));
    item.append(button);
    return item;
  }));
}

async function next() {
  clearTimeout(waiting);
  page = (await ask(inPool("page"), {})).page;
  $("title").textContent = document.title = pool.project;
  $("help").hidden = $("logout").hidden = false;
  if (!page) { await done(); return; }
  say("");
  warn();
  draw();
}

// Nothing to do in this pool: for now, or for good.
async function done() {
  const [work, found] = [await ask(inPool("work")), (await ask("pools")).pools];
  const now = found.find((each) => each.id === pool.id), others = found.filter((each) => each.id !== pool.id && !each.closed_to_you);
  const shut = now?.closed_to_you, waits = Boolean(now) && !shut && work.more, minutes = Math.max(1, Math.round(work.seconds / 60));
  const before = $("done-title").textContent, again = !$("done").hidden;
  show("done", ...(others.length ? ["pools"] : []));
  list(others, "Other open pools");
  $("progress").textContent = "";
  tell("warning", "");
  say("");
  $("done-title").textContent = shut ? "This pool is closed to you" : waits ? "No image for you at the moment" : "All done for today";
  const counted = `You labelled ${work.answered} ${work.answered === 1 ? "image" : "images"} in ${minutes} ${minutes === 1 ? "minute" : "minutes"}. Thank you!`;
  $("numbers").textContent = work.answered ? counted : "";
  $("after").textContent = shut ? `The reason: ${shut}. What you labelled before is kept.`
    : waits ? "Others are working on the rest. What they give back comes to you: this page looks again by itself."
    : others.length ? "There is nothing more for you in this pool. Another one is open:" : "There is nothing more for you in this pool. New images come with the next day: come back tomorrow.";
  $("undo-done").hidden = !now || Boolean(shut) || !work.answered;
  if (!again || before !== $("done-title").textContent) $("done-title").focus();
  if (waits) lookAgain();
}

function lookAgain() {
  waiting = setTimeout(() => { if (busy) lookAgain(); else doing(next); }, LOOK_AGAIN_MILLISECONDS);
}

// Said before it is too late: how near the person is to being shut out for haste.
function warn() {
  const { fast = 0, most = 0, seconds = 0 } = page.haste ?? {}, left = most - fast;
  const rule = `A page that is answered in less than ${seconds} s counts as too fast`;
  const text = !page.haste || (!fast && left > 1) ? ""
    : !fast ? `Look at each image. ${rule}, and the first such page shuts you out.`
    : `${fast} of your last pages ${fast === 1 ? "was" : "were"} too fast. ${rule}; ${left === 1 ? "the next one shuts" : `${left} more shut`} you out.`;
  const news = text !== $("warning").textContent;
  tell("warning", text, left <= 1);
  if (text && fast && left === 1 && news) { $("haste-text").textContent = text; $("haste").showModal(); }
}

const open = () => page.tasks.filter((task) => !(task.id in page.answers));

function draw() {
  const left = open(), task = left[0], place = page.tasks.length - left.length + 1;
  show("work");
  typed.clear();
  $("progress").textContent = `${place} of ${page.tasks.length} · pool ${page.done} % done`;
  $("skip").hidden = !page.view.skip;
  if (drawn !== JSON.stringify(page.view)) build();
  for (const { field, picture } of pictures) {
    picture.show(task.inputs[field], `Image ${place} of ${page.tasks.length}`);
    for (const later of left.slice(1, 3)) new Image().src = later.inputs[field]; // in the browser's cache when it is its turn
  }
  ready();
}

// The parts of the view. They stay from image to image, and so does the focus.
function build() {
  drawn = JSON.stringify(page.view);
  [pictures, questions] = [[], []];
  $("parts").replaceChildren(...page.view.parts.map((part) => {
    if (part.kind === "image") {
      const picture = new Picture(ready, retry);
      pictures.push({ field: part.field, picture });
      return picture.frame;
    }
    if (part.kind === "text") return Object.assign(document.createElement("p"), { dir: "auto", textContent: part.text });
    const mine = Object.entries(page.view.keys).filter(([, set]) => set.field === part.field);
    const question = choices(part, new Map(mine.map(([key, set]) => [set.value, key])), (value) => give(part.field, value));
    questions.push({ ...question, part });
    return question.element;
  }));
  $("parts").classList.toggle("many", questions.some((question) => question.many));
  $("find-help").hidden = !questions.some((question) => question.many);
  $("zoom").hidden = !pictures.length;
}

// The state of the image that is worst off.
const worst = () => ["failed", "slow", "loading"].find((state) => pictures.some(({ picture }) => picture.state === state)) ?? "ready";

// Nobody answers on nothing: without its image, a task has only the answer for broken images.
function ready() {
  const state = worst();
  $("work").dataset.image = state;
  for (const { allow } of questions) allow(state === "ready" || state === "loading");
  const unclear = questions.flatMap(({ part }) => part.options.filter((option) => isUnclear(part, option.value)))[0];
  const ways = [unclear && `choose “${unclear.label}”`, page?.view.skip && "skip the page"].filter(Boolean).join(", or ");
  for (const { picture } of pictures) {
    const what = { failed: "This image cannot be shown: it is gone, broken, or its link has expired.", slow: "This image has not come yet." }[picture.state] ?? "";
    picture.why.textContent = what && `${what} Try again${ways ? `. If that does not help, ${ways}` : ""}.`;
  }
  $("zoom").setAttribute("aria-pressed", String(pictures.some(({ picture }) => picture.zoomed)));
  $("zoom").disabled = state === "failed" || state === "slow";
}

const retry = () => page && doing(async () => {
  const current = open()[0].id;
  page = (await ask(inPool("page"), {})).page; // with fresh links
  if (page) { first(current); say(""); draw(); } else await done();
});

const isUnclear = (part, value) => part.unclear !== null && part.unclear === value;
const first = (id) => page.tasks.sort((a, b) => (b.id === id) - (a.id === id));

function give(field, value) {
  const task = page && open()[0], state = worst();
  if (!task) return;
  if (state === "loading") { say("The image is still loading: answer when you see it."); return; }
  if (state !== "ready" && !questions.some(({ part }) => part.field === field && isUnclear(part, value))) return;
  doing(async () => {
    const kept = await ask(onPage("answers"), { task_id: task.id, output_values: { [field]: value } });
    page.answers[task.id] = { [field]: value };
    for (const question of questions) question.used(value);
    if (kept.handed_in) await next();
    else { say(""); draw(); }
  });
}

const undo = () => pool && doing(async () => {
  const { taken_back: back } = await ask(inPool("undo"), {});
  if (!back) { say("There is no answer that can be taken back."); return; }
  clearTimeout(waiting);
  page = back.page;
  first(back.task_id); // its image comes back at once
  say("");
  draw();
});

function skip() {
  if (page?.view.skip) $("sure").showModal();
}

$("sure").addEventListener("close", () => {
  if ($("sure").returnValue === "yes" && page) doing(async () => { await ask(onPage("skip"), {}); page = null; await next(); });
  $("sure").returnValue = "";
});

function instructions() {
  if (!pool || $("help").hidden) return;
  $("instructions").querySelector("div").replaceChildren(...plainHtml(pool.instructions));
  $("instructions").showModal();
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
$("logout").addEventListener("click", () => doing(async () => { await ask("logout", {}); pool = null; loggedOut(""); }));
$("undo").addEventListener("click", undo);
$("undo-done").addEventListener("click", undo);
$("zoom").addEventListener("click", () => pictures.forEach(({ picture }) => picture.toggle()));
$("skip").addEventListener("click", skip);
for (const id of ["leave", "leave-done"]) $(id).addEventListener("click", () => doing(pools));
$("help").addEventListener("click", instructions);

document.addEventListener("keydown", (event) => {
  const field = event.target.matches("input");
  if (event.ctrlKey || event.metaKey || (field ? !event.altKey || event.target.id !== "find" : event.altKey)) return;
  if (document.querySelector("dialog[open]") || ($("work").hidden && $("done").hidden)) return;
  const key = character(event), working = !$("work").hidden, finder = questions.find((question) => question.many);
  if (field && key.length > 1) return;
  if (working && pictures.map(({ picture }) => picture.key(key)).some(Boolean)) event.preventDefault();
  else if (event.repeat) return;
  else if (key === "u") undo();
  else if (key === "i") instructions();
  else if (!working) return;
  else if (key === "s") skip();
  else if (key === "r" && worst() !== "ready") retry();
  else if (!field && finder && (key === "/" || key === "ArrowDown")) finder.find();
  else {
    const set = field ? null : typed.add(key, page.view.keys);
    if (!set) return;
    if (set.field) give(set.field, set.value);
  }
  event.preventDefault();
});
window.addEventListener("hashchange", () => { wanted = named(); doing(pools); });
doing(pools);
