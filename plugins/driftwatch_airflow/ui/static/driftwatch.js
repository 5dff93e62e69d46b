// What every page has: links out of Airflow's frame, arrow keys in the calendar, and the forms that ask Airflow for a run.
"use strict";

// Airflow shows the pages in a sandboxed frame that may neither open windows nor move the window around it. A link out of the pages is
// therefore followed by the document around the frame, which has the same origin.
if (window.top !== window.self) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.out");
    if (!link || event.defaultPrevented) return;
    event.preventDefault();
    const outer = window.parent.document.createElement("a");
    outer.href = link.href;
    outer.rel = "noopener";
    if (new URL(link.href).origin !== location.origin || event.ctrlKey || event.metaKey) outer.target = "_blank";
    outer.click();
  });
}

// One stop for the Tab key, arrows inside.
for (const table of document.querySelectorAll(".calendar table")) {
  const cells = [...table.querySelectorAll("a.daycell")];
  if (!cells.length) continue;
  cells.forEach((cell) => { cell.tabIndex = -1; });
  const byDay = [...cells].sort((a, b) => a.href.localeCompare(b.href));
  const newest = byDay[byDay.length - 1];
  newest.tabIndex = 0;
  const scroll = table.closest(".scroll");
  scroll.scrollLeft = scroll.scrollWidth;
  table.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -7, ArrowRight: 7, Home: -Infinity, End: Infinity }[event.key];
    const at = byDay.indexOf(document.activeElement);
    if (step === undefined || at < 0) return;
    event.preventDefault();
    const next = byDay[Math.min(byDay.length - 1, Math.max(0, at + step))];
    byDay[at].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

// The pages themselves only read: the run is asked for at Airflow's own API, with the reader's own session and rights. Airflow 3.3 has no
// address that opens the trigger form filled in. A button with `data-sure` is pressed twice.
for (const form of document.querySelectorAll(".back")) {
  const said = form.querySelector("[role=status]"), field = form.querySelector("input"), { runs, page } = form.dataset;
  const buttons = [...form.querySelectorAll("button")];
  for (const button of buttons) {
    button.addEventListener("click", async () => {
      const { sure, note, done } = button.dataset;
      if (field?.required && !field.value.trim()) {
        said.textContent = "Say why first, in the field Reason.";
        field.focus();
        return;
      }
      if (sure) {
        delete button.dataset.sure;
        button.textContent = sure;
        return;
      }
      buttons.forEach((each) => { each.disabled = true; });
      said.textContent = "Asking Airflow …";
      try {
        const reason = field?.value.trim() || null;
        const conf = { ...JSON.parse(button.dataset.conf), ...(field && { reason }) };
        const body = { logical_date: null, conf, note: `${note}${reason ? `: ${reason}` : ""}` };
        const answer = await fetch(runs, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(body) });
        const found = await answer.json().catch(() => ({}));
        if (!answer.ok) throw new Error({ 401: "you are not logged in any more", 403: "your role may not trigger this DAG" }[answer.status] ?? (typeof found.detail === "string" ? found.detail : `it answered ${answer.status}`));
        const link = Object.assign(document.createElement("a"), { className: "out", href: page + encodeURIComponent(found.dag_run_id), textContent: found.dag_run_id });
        said.replaceChildren(`${done} `, link, ". A paused DAG runs once it is unpaused.");
      } catch (error) {
        said.textContent = `Nothing was asked for: ${error.message}.`;
        buttons.forEach((each) => { each.disabled = false; });
      }
    });
  }
}

// A link to a folded form opens it.
const folded = ["#correction", "#usual"].includes(location.hash) && document.querySelector(`details${location.hash}`);
if (folded) {
  folded.open = true;
  folded.scrollIntoView();
}

// Of many monitors: those whose row has the words, and the tones that are pressed.
const filter = document.getElementById("filter");
if (filter) {
  const rows = [...document.querySelectorAll(".monitors tbody tr")], tones = [...document.querySelectorAll(".filters [data-tone]")];
  const sift = () => {
    const words = filter.value.trim().toLowerCase().split(/\s+/), pressed = tones.filter((each) => each.getAttribute("aria-pressed") === "true").map((each) => each.dataset.tone);
    let left = 0;
    for (const row of rows) {
      row.hidden = !(words.every((word) => row.textContent.toLowerCase().includes(word)) && (!pressed.length || pressed.includes(row.dataset.tone)));
      left += !row.hidden;
    }
    document.getElementById("filtered").textContent = left === rows.length ? "" : `${left} of ${rows.length} monitors`;
  };
  filter.addEventListener("input", sift);
  for (const each of tones) each.addEventListener("click", () => { each.setAttribute("aria-pressed", String(each.getAttribute("aria-pressed") !== "true")); sift(); });
}
