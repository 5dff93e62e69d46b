// What every page has: links out of Airflow's frame, and arrow keys in the calendar.
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
