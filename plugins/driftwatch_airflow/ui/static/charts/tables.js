// Tables of the monitor page: the numbers below a chart, and the confusion matrix. On a narrow screen a row is a card (tables.css).
"use strict";

export function cell(tag, text, more = {}) {
  return Object.assign(document.createElement(tag), { textContent: text }, more);
}

export function numbers(heads, lines) {
  const table = cell("table", "", { className: "stack" });
  table.createTHead().insertRow().append(...heads.map((head) => cell("th", head, { scope: "col" })));
  const body = table.createTBody();
  for (const line of lines) {
    const cells = line.map((text, at) => cell("td", text));
    cells.forEach((made, at) => { made.dataset.name = heads[at]; });
    body.insertRow().append(...cells);
  }
  return table;
}

// Cells fit their number; what never happened is left blank.
export function matrix(found) {
  const table = cell("table", "", { className: `matrix ${found.size}` });
  const head = table.createTHead().insertRow();
  head.append(document.createElement("td"), ...found.labels.map((name) => {
    const made = cell("th", "", { scope: "col", title: name });
    made.append(cell("span", name));
    return made;
  }));
  const body = table.createTBody();
  for (const { name, cells } of found.rows) {
    const line = body.insertRow();
    const row = cell("th", "", { scope: "row", className: "row" });
    row.append(cell("span", name, { className: "name-of" }));
    line.append(row);
    for (const { n, share, heat, right, said } of cells) {
      const box = line.insertCell();
      box.className = `cell h${heat}${right ? "" : " wrong"}`;
      if (said) box.title = said;
      box.append(cell("b", n ? String(n) : ""), cell("small", share));
    }
  }
  return table;
}

// Of many classes: the pairs that were confused most often.
export function pairs(found) {
  const table = cell("table", "", { className: "pairs stack" }), heads = ["The labels say", "The model said", "Images", "Of the class"];
  table.createTHead().insertRow().append(...heads.map((name, at) => cell("th", name, { scope: "col", className: at > 1 ? "right" : "" })));
  const body = table.createTBody();
  for (const { truth, predicted, n, share } of found.pairs) {
    const named = [truth, predicted].map((name) => {
      const made = cell("td", "");
      made.append(cell("span", name, { className: "name-of" }));
      return made;
    });
    const cells = [...named, ...[String(n), share].map((text) => cell("td", text, { className: "right" }))];
    cells.forEach((made, at) => { made.dataset.name = heads[at]; });
    body.insertRow().append(...cells);
  }
  if (found.rest) body.insertRow().append(cell("td", found.rest, { colSpan: 4, className: "note" }));
  return table;
}
