// The monitor's charts: uPlot on series.json. Each chart has its numbers as a table, made when it is opened.
"use strict";

const board = document.getElementById("board");
if (board) start();

async function start() {
  const state = document.getElementById("state");
  try {
    const data = await fetchJson(board.dataset.series);
    state.hidden = true;
    board.querySelector(".toolbar").hidden = false;
    new Monitor(data);
  } catch (error) {
    state.classList.add("failed");
    state.textContent = `The days cannot be shown: ${error.message}. `;
    const again = Object.assign(document.createElement("button"), { type: "button", textContent: "Try again" });
    again.addEventListener("click", () => location.reload());
    state.append(again);
  } finally {
    board.setAttribute("aria-busy", "false");
  }
}

async function fetchJson(url) {
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({}));
    throw new Error(answer.status === 401 ? "you are not logged in to Airflow any more" : said.detail || `the server answered ${answer.status}`);
  }
  return answer.json();
}

const seconds = (day) => Date.parse(`${day}T00:00:00Z`) / 1000;
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const faint = (name, share) => `color-mix(in srgb, ${color(name)} ${Math.round(100 * share)}%, transparent)`;
const percent = (share) => (share == null ? "–" : `${+(100 * share).toFixed(1)} %`);
const short = (value) => (value == null ? "–" : String(+value.toPrecision(4)));

class Monitor {
  constructor(data) {
    this.data = data;
    this.words = (verdict) => data.words.verdicts[verdict] ?? "–"; // as the report says it
    this.tone = (verdict) => color(data.words.tones[verdict] ?? "unsure");
    this.plots = {};
    this.tables = {};
    this.feature = board.querySelector("[data-feature]")?.dataset.feature;
    this.measure = "accuracy";
    this.first = document.getElementById("first");
    this.last = document.getElementById("last");
    this.setRange(innerWidth < 700 ? 30 : 90);
    this.listen();
    this.draw();
  }

  listen() {
    for (const input of [this.first, this.last]) input.addEventListener("change", () => this.draw());
    for (const button of board.querySelectorAll("[data-days]")) {
      button.addEventListener("click", () => { this.setRange(button.dataset.days === "all" ? Infinity : +button.dataset.days); this.draw(); });
    }
    for (const button of board.querySelectorAll("[data-feature]")) {
      button.addEventListener("click", () => { this.feature = button.dataset.feature; this.drawFeature(); this.drawDistribution(); });
    }
    const pick = document.getElementById("day");
    pick?.addEventListener("change", () => this.drawDistribution());
    const measure = document.getElementById("measure");
    if (measure) {
      for (const [kind, title] of Object.entries(this.data.words.measures)) {
        const group = Object.assign(document.createElement("optgroup"), { label: title });
        group.append(...this.data.classes.map((label) => new Option(`${title} of ${label}`, JSON.stringify([label, kind]))));
        measure.append(group);
      }
      measure.addEventListener("change", () => { this.measure = measure.value; this.drawPerformance(); });
      document.getElementById("matrix-day").addEventListener("change", () => this.drawMatrix());
    }
    for (const details of board.querySelectorAll(".numbers-table")) {
      details.addEventListener("toggle", () => details.open && this.fillTable(details));
    }
    let width = innerWidth;
    addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; this.draw(); } });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  setRange(count) {
    const days = this.data.days;
    this.first.value = days[Math.max(0, days.length - count)] ?? days[0];
    this.last.value = days[days.length - 1];
  }

  // Indexes of the chosen days.
  range() {
    const from = this.first.value || this.data.days[0], to = this.last.value || this.data.days[this.data.days.length - 1];
    return this.data.days.map((day, index) => [day, index]).filter(([day]) => day >= from && day <= to).map(([, index]) => index);
  }

  draw() {
    this.indexes = this.range();
    this.fillDays();
    this.drawFeature();
    this.drawDistribution();
    this.drawPerformance();
    this.drawLabels();
    this.drawMatrix();
  }

  fillDays() {
    const fill = (select, options, wanted) => {
      if (!select) return;
      select.replaceChildren(...options.map(([text, value]) => new Option(text, value)));
      select.value = options.some(([, value]) => value === wanted) ? wanted : options[0]?.[1] ?? "";
    };
    const newest = [...this.indexes].reverse();
    const pick = document.getElementById("day"), matrix = document.getElementById("matrix-day");
    const verdict = this.data.drift.verdict;
    const mark = (i) => (verdict[i] === "ok" ? "" : `, ${this.words(verdict[i])}`);
    fill(pick, newest.filter((i) => verdict[i]).map((i) => [this.data.days[i] + mark(i), this.data.days[i]]), pick?.value);
    const measured = newest.filter((i) => this.data.performance.counted[i]);
    fill(matrix, [["all days of the range", "all"], ...measured.map((i) => [this.data.days[i], this.data.days[i]])], matrix?.value || "all");
  }

  drawFeature() {
    const found = this.data.features[this.feature];
    if (!found) return;
    for (const button of board.querySelectorAll("[data-feature]")) button.setAttribute("aria-pressed", button.dataset.feature === this.feature);
    document.getElementById("feature-title").textContent = `${found.name} over time`;
    const of = (quantiles, place) => this.indexes.map((i) => quantiles(i)?.[place] ?? null);
    const ours = (i) => found.quantiles[i], theirs = (i) => found.references[found.reference_of[i]];
    const columns = [[theirs, 4], [theirs, 0], [theirs, 2], [ours, 4], [ours, 0], [ours, 3], [ours, 1], [ours, 2]];
    const line = (label, stroke, more = {}) => ({ label, stroke, width: 0, points: { show: false }, value: (_, v) => short(v), ...more });
    this.plot("feature-chart", {
      data: [this.indexes.map((i) => seconds(this.data.days[i])), ...columns.map(([source, place]) => of(source, place))],
      series: [
        line("reference 95 %"), line("reference 5 %"), line("reference median", color("muted"), { width: 1.5, dash: [5, 4] }),
        line("day 95 %"), line("day 5 %"), line("day 75 %"), line("day 25 %"),
        line("day median", color("day"), { width: 2, points: { show: true, size: 7, fill: (u, s) => color("day"), filter: () => null } }),
      ],
      bands: [
        { series: [1, 2], fill: faint("reference", 0.38) }, { series: [4, 5], fill: faint("day", 0.16) }, { series: [6, 7], fill: faint("day", 0.3) },
      ],
      marks: (plot) => this.indexes.forEach((i, at) => {
        if (found.verdict[i] === "drifted" && ours(i)) this.dot(plot, at, ours(i)[2], "alert", this.tone("drifted"));
        else if (ours(i)) this.dot(plot, at, ours(i)[2], "ok", color("day"), this.roomy(plot) ? 2.5 : 1.5);
      }),
      label: `${found.name}: medians and bands of ${this.indexes.length} days, ${this.indexes.filter((i) => found.verdict[i] === "drifted").length} drifted`,
    });
    this.table("feature-table", ["Day", "Verdict", "Day 5 %", "25 %", "Median", "75 %", "95 %", "Reference 5 %", "Median", "95 %", "Effect", "Model"],
      (i) => [this.data.days[i], this.words(found.verdict[i]), ...[0, 1, 2, 3, 4].map((q) => short(ours(i)?.[q])), ...[0, 2, 4].map((q) => short(theirs(i)?.[q])), short(found.effect[i]), found.reference_version[i] ?? "–"]);
  }

  async drawDistribution() {
    const day = document.getElementById("day")?.value, target = document.getElementById("distribution-chart");
    if (!target) return;
    const link = document.getElementById("day-link");
    link.hidden = !day;
    if (!day) { this.message(target, "No tested day in this range."); return; }
    link.href = `${board.dataset.dayPage}${day}/`;
    link.textContent = `The page of ${day}`;
    const feature = this.feature, turn = (this.turn = (this.turn ?? 0) + 1);
    document.getElementById("distribution-title").textContent = `${this.data.features[feature]?.name ?? feature} on ${day}`;
    let found;
    try {
      found = await fetchJson(`${board.dataset.dayPage}${day}/distribution.json?feature=${encodeURIComponent(feature)}`);
    } catch (error) {
      if (turn === this.turn) this.message(target, `No distribution: ${error.message}`);
      return;
    }
    if (turn !== this.turn) return;
    const x = found.edges, stepped = uPlot.paths.stepped({ align: 1 });
    const closed = (shares) => [...shares, shares[shares.length - 1]];
    const bars = (label, name, strength) => ({ label, stroke: color(name), fill: faint(name, strength), width: 1.5, paths: stepped, points: { show: false }, value: (_, v) => percent(v) });
    this.plot("distribution-chart", {
      data: [x, found.reference ? closed(found.reference) : x.map(() => null), closed(found.shares)],
      series: [bars(`reference, ${found.reference_n}`, "muted", 0.3), bars(`day, ${found.n}`, "day", 0.25)],
      axisValue: percent, time: false, small: true,
      label: `Distribution of ${this.data.features[feature]?.name} on ${day} (${found.n} images) and in the reference (${found.reference_n})`,
    });
    this.tables["distribution-table"] = () => this.rows("distribution-table", ["From", "To", "Day", "Reference"],
      found.shares.map((share, k) => [short(found.edges[k]), short(found.edges[k + 1]), percent(share), percent(found.reference?.[k])]));
    this.refresh("distribution-table");
  }

  drawPerformance() {
    if (!document.getElementById("performance-chart")) return;
    const all = this.data.performance, whole = this.measure === "accuracy";
    const [label, kind] = whole ? [] : JSON.parse(this.measure);
    const found = whole ? all.accuracy : all.classes[label][kind];
    const title = whole ? "Accuracy" : `${this.data.words.measures[kind]} of ${label}`;
    document.getElementById("performance-title").textContent = `${title}, on each day's labels`;
    const column = (values) => this.indexes.map((i) => values[i]);
    const others = whole ? Object.entries(all.others) : [];
    const key = board.querySelector(".k-other");
    key.hidden = !others.length;
    key.querySelector("b").textContent = others.map(([, name]) => name).join(", ");
    const plain = (name, more) => ({ label: name, width: 0, points: { show: false }, value: (_, v) => percent(v), ...more });
    const said = (texts) => (_, v, series, at) => texts[this.indexes[at]] ?? "–";
    const low = Math.min(...[...column(found.low), ...column(found.value)].filter((v) => v != null), ...column(all.floor).filter((v) => v != null && whole), 1);
    this.plot("performance-chart", {
      data: [this.indexes.map((i) => seconds(this.data.days[i])), column(found.high), column(found.low), column(found.value), column(whole ? all.floor : all.floor.map(() => null)), ...others.map(([name]) => column(all[name].value))],
      series: [plain("upper end"), plain("lower end"), plain(title, { stroke: color("day"), width: 1, value: said(found.text) }),
        plain("floor", { stroke: color("bad"), width: 1.5, dash: [2, 3], value: said(whole ? all.floor_text : []) }),
        ...others.map(([name, about]) => plain(about, { stroke: color("unsure"), width: 2, dash: [6, 4], value: said(all[name].text) }))],
      bands: [{ series: [1, 2], fill: faint("day", 0.1) }],
      range: [Math.max(0, Math.floor(10 * low - 0.2) / 10), 1.02], axisValue: percent,
      marks: (plot) => this.indexes.forEach((i, at) => {
        if (found.value[i] == null) return;
        const verdict = whole ? all.verdict[i] : "ok";
        const tone = whole ? this.tone(verdict) : color("day");
        if (found.low[i] != null) this.whisker(plot, at, found.low[i], found.high[i], tone);
        this.dot(plot, at, found.value[i], verdict, tone);
      }) || this.retrainings(plot),
      label: `${title} of ${this.indexes.length} days with intervals, ${column(all.verdict).filter((v) => v === "alert").length} alerts, ${this.indexes.filter((i) => this.retrained(i) !== "–").length} days with a retraining`,
    });
    this.table("performance-table", ["Day", "Verdict", title, "From", "To", "Floor", ...others.map(([, name]) => name), "Model", "Retraining"],
      (i) => [this.data.days[i], this.words(all.verdict[i]), found.text[i], percent(found.low[i]), percent(found.high[i]), all.floor_text[i], ...others.map(([name]) => all[name].text[i]), this.data.version[i] ?? "–", this.retrained(i)]);
  }

  // What the retrainings on labels up to a day came to.
  retrained(i) {
    const found = this.data.retrainings.filter(({ day }) => day === this.data.days[i]);
    return found.map(({ decision, version }) => [version, this.data.words.gates[decision] ?? "not compared yet"].filter(Boolean).join(", ")).join("; ") || "–";
  }

  // A triangle on the axis, at each day with a retraining.
  retrainings(plot) {
    const { ctx, bbox } = plot, foot = bbox.top + bbox.height, r = 7 * devicePixelRatio;
    ctx.save();
    ctx.fillStyle = color("text");
    this.indexes.forEach((i, at) => {
      if (this.retrained(i) === "–") return;
      const x = plot.valToPos(plot.data[0][at], "x", true);
      ctx.beginPath();
      ctx.moveTo(x - r, foot); ctx.lineTo(x + r, foot); ctx.lineTo(x, foot - 1.6 * r); ctx.closePath();
      ctx.fill();
    });
    ctx.restore();
  }

  drawLabels() {
    if (!document.getElementById("labels-chart")) return;
    const all = this.data.performance;
    const coverage = (i) => (all.sampled[i] ? all.labels[i] / all.sampled[i] : null);
    const line = (label, stroke, value) => ({ label, stroke, width: 2, points: { show: true, size: 5, fill: stroke }, value: (_, v) => value(v) });
    this.plot("labels-chart", {
      data: [this.indexes.map((i) => seconds(this.data.days[i])), this.indexes.map(coverage), this.indexes.map((i) => all.alpha[i])],
      series: [line("coverage", color("day"), percent), line("agreement α", color("unsure"), short)],
      range: [Math.min(0, ...this.indexes.map((i) => all.alpha[i] ?? 0)), 1.02], small: true,
      label: `Coverage and agreement of the labels of ${this.indexes.length} days`,
    });
    this.table("labels-table", ["Day", "Sampled", "Labels", "Coverage", "Agreement α", "Unanimous"],
      (i) => [this.data.days[i], short(all.sampled[i]), short(all.labels[i]), percent(coverage(i)), short(all.alpha[i]), all.unanimous[i]]);
  }

  // The table of the chosen days, as the server makes it for the report too.
  async drawMatrix() {
    const target = document.getElementById("matrix");
    if (!target) return;
    const chosen = document.getElementById("matrix-day").value, days = this.indexes.map((i) => this.data.days[i]);
    const note = document.getElementById("matrix-note"), turn = (this.matrixTurn = (this.matrixTurn ?? 0) + 1);
    const [first, last] = chosen === "all" ? [days[0], days[days.length - 1]] : [chosen, chosen];
    if (!first) { target.replaceChildren(); note.textContent = "No day in this range."; return; }
    let found;
    try {
      found = await fetchJson(`${board.dataset.confusions}?first=${first}&last=${last}`);
    } catch (error) {
      if (turn === this.matrixTurn) { target.replaceChildren(); note.textContent = `This cannot be shown: ${error.message}`; }
      return;
    }
    if (turn !== this.matrixTurn) return;
    document.getElementById("matrix-title").textContent = found.table.title;
    target.setAttribute("aria-label", found.table.about);
    target.replaceChildren(found.table.rows.length ? this.matrix(found.table) : this.pairs(found.table));
    note.textContent = found.note;
  }

  // Cells fit their number; what never happened is left blank.
  matrix(found) {
    const table = document.createElement("table");
    table.className = `matrix ${found.size}`;
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
  pairs(found) {
    const table = document.createElement("table");
    table.className = "pairs";
    const head = table.createTHead().insertRow();
    head.append(...["The labels say", "The model said"].map((name) => cell("th", name, { scope: "col" })), ...["Images", "Of the class"].map((name) => cell("th", name, { scope: "col", className: "right" })));
    const body = table.createTBody();
    for (const { truth, predicted, n, share } of found.pairs) {
      const named = [truth, predicted].map((name) => {
        const made = cell("td", "");
        made.append(cell("span", name, { className: "name-of" }));
        return made;
      });
      body.insertRow().append(...named, ...[String(n), share].map((text) => cell("td", text, { className: "right" })));
    }
    if (found.rest) body.insertRow().append(cell("td", found.rest, { colSpan: 4, className: "note" }));
    return table;
  }

  plot(id, wanted) {
    const target = document.getElementById(id);
    this.plots[id]?.destroy();
    target.replaceChildren();
    if (!wanted.data[0].length) { this.message(target, "No day in this range."); return; }
    const time = wanted.time !== false, text = color("muted"), grid = { stroke: color("line"), width: 1 };
    const options = {
      width: Math.max(240, target.clientWidth), height: wanted.small ? 210 : 320, tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), "Etc/UTC"),
      series: [{ value: (_, v) => (v == null ? "–" : time ? new Date(v * 1000).toISOString().slice(0, 10) : short(v)) }, ...wanted.series], bands: wanted.bands ?? [],
      scales: { x: { time, range: time ? (u, low, high) => [low - 43200, high + 43200] : undefined }, y: wanted.range ? { range: wanted.range } : {} },
      axes: [{ stroke: text, grid: { show: false }, ticks: grid, ...(time ? { values: (u, splits) => days(splits), space: 64, incrs: [1, 2, 7, 14, 28, 91, 182, 364].map((n) => n * 86400) } : {}) },
        { stroke: text, grid, ticks: { show: false }, size: 58, ...(wanted.axisValue ? { values: (u, ticks) => ticks.map(wanted.axisValue) } : {}) }],
      legend: { live: true, markers: { show: false }, isolate: false }, cursor: { y: false, drag: { x: false, y: false } },
      hooks: { drawClear: [(u) => time && this.background(u)], draw: [(u) => wanted.marks?.(u)],
        ready: [(u) => time && u.setLegend({ idx: wanted.data[0].length - 1 })] }, // the newest day's numbers until another is pointed at
    };
    this.plots[id] = new uPlot(options, wanted.data, target);
    const canvas = target.querySelector("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${wanted.label}. The table below has the numbers.`);
    for (const row of target.querySelectorAll(".u-legend .u-series")) row.hidden = /^(reference|day) \d|end$/.test(row.querySelector(".u-label")?.textContent ?? "");
  }

  message(target, text) {
    this.plots[target.id]?.destroy();
    delete this.plots[target.id];
    target.replaceChildren(Object.assign(document.createElement("p"), { className: "empty", textContent: text }));
  }

  // Drifted days shaded, other models as vertical lines; behind the curves.
  background(plot) {
    const { ctx, bbox } = plot, half = 43200;
    ctx.save();
    ctx.fillStyle = faint("warn", 0.13);
    for (const i of this.indexes) {
      if (this.data.drift.verdict[i] !== "drifted") continue;
      const at = seconds(this.data.days[i]), left = plot.valToPos(at - half, "x", true), right = plot.valToPos(at + half, "x", true);
      ctx.fillRect(left, bbox.top, Math.max(1, right - left), bbox.height);
    }
    ctx.strokeStyle = ctx.fillStyle = color("muted");
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const { day } of this.data.takeovers) {
      const at = plot.valToPos(seconds(day) - half, "x", true);
      if (at < bbox.left || at > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(at, bbox.top);
      ctx.lineTo(at, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  // Whether a day has the width for a mark that is easy to see.
  roomy(plot) {
    return plot.bbox.width / devicePixelRatio / this.indexes.length > 7;
  }

  whisker(plot, at, low, high, stroke) {
    const { ctx } = plot, x = plot.valToPos(plot.data[0][at], "x", true);
    ctx.save();
    ctx.setLineDash([]);
    ctx.strokeStyle = stroke;
    ctx.lineWidth = (this.roomy(plot) ? 2.5 : 1) * devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, plot.valToPos(low, "y", true));
    ctx.lineTo(x, plot.valToPos(high, "y", true));
    ctx.stroke();
    ctx.restore();
  }

  // A circle; a diamond for an alert, hollow for too little evidence: never by colour alone.
  dot(plot, at, value, verdict, fill, size = this.roomy(plot) ? 5 : 2.5) {
    const { ctx } = plot, x = plot.valToPos(plot.data[0][at], "x", true), y = plot.valToPos(value, "y", true), r = size * devicePixelRatio;
    ctx.save();
    ctx.setLineDash([]);
    ctx.fillStyle = fill;
    ctx.strokeStyle = verdict === "not_enough_evidence" ? fill : color("card");
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.beginPath();
    if (verdict === "alert") {
      const d = 1.35 * r;
      ctx.moveTo(x, y - d); ctx.lineTo(x + d, y); ctx.lineTo(x, y + d); ctx.lineTo(x - d, y); ctx.closePath();
    } else {
      ctx.arc(x, y, r, 0, 2 * Math.PI);
    }
    if (verdict === "not_enough_evidence") ctx.fillStyle = color("card");
    ctx.fill();
    ctx.stroke();
    ctx.restore();
  }

  table(id, heads, row) {
    this.tables[id] = () => this.rows(id, heads, [...this.indexes].reverse().map(row));
    this.refresh(id);
  }

  refresh(id) {
    if (document.getElementById(id)?.closest("details").open) this.tables[id]();
  }

  fillTable(details) {
    this.tables[details.querySelector(".scroll").id]?.();
  }

  rows(id, heads, lines) {
    const table = document.createElement("table");
    table.createTHead().insertRow().append(...heads.map((head) => cell("th", head, { scope: "col" })));
    const body = table.createTBody();
    for (const line of lines) body.insertRow().append(...line.map((text) => cell("td", text)));
    document.getElementById(id).replaceChildren(table);
  }
}

function days(splits) {
  let month = "";
  return splits.map((at) => {
    const date = new Date(at * 1000), now = date.toLocaleDateString("en-GB", { month: "short", timeZone: "UTC" });
    const text = `${date.getUTCDate()}${now === month ? "" : ` ${now}`}`;
    month = now;
    return text;
  });
}

function cell(tag, text, more = {}) {
  return Object.assign(document.createElement(tag), { textContent: text }, more);
}
