// The monitor's charts: uPlot on series.json. Each chart has its numbers as a table, made when it is opened.
"use strict";

import { Features } from "./charts/features.js";
import { fetchJson } from "./charts/fetch.js";
import { Kinds } from "./charts/kinds.js";
import { Plots, color, faint, percent, short } from "./charts/plot.js";
import { matrix, numbers, pairs } from "./charts/tables.js";

const MANY = 60; // with more days than this, the mean of seven is drawn
// Lines beside the measured accuracy: colour and dashes of each.
const OTHERS = { corrected: ["unsure", [8, 4]], estimated: ["muted", [2, 4]] };
const board = document.getElementById("board");
if (board) start();

async function start() {
  const state = document.getElementById("state");
  try {
    const data = await fetchJson(board.dataset.series);
    state.hidden = true;
    board.querySelector(".toolbar").hidden = false;
    board.monitor = new Monitor(data);
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

class Monitor {
  constructor(data) {
    this.data = data;
    this.words = (verdict) => data.words.verdicts[verdict] ?? "–"; // as the report says it
    this.tone = (verdict) => color(data.words.tones[verdict] ?? "unsure");
    this.plots = new Plots(data.days, data.takeovers, (i) => data.drift.verdict[i] === "drifted");
    this.tables = {};
    this.classes = {};
    this.measure = "accuracy";
    this.first = document.getElementById("first");
    this.last = document.getElementById("last");
    this.features = new Features(this, board);
    this.kinds = new Kinds(this);
    this.setRange(innerWidth < 700 ? 30 : 90);
    this.listen();
    this.draw();
  }

  listen() {
    for (const input of [this.first, this.last]) input.addEventListener("change", () => this.draw());
    for (const button of board.querySelectorAll("[data-days]")) {
      button.addEventListener("click", () => { this.setRange(+button.dataset.days || Infinity); this.draw(); });
    }
    for (const button of board.querySelectorAll("[data-feature]")) {
      button.addEventListener("click", () => { this.features.chosen = button.dataset.feature; this.features.draw(); });
    }
    document.getElementById("day")?.addEventListener("change", () => this.features.distribution());
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
    document.addEventListener("themechange", () => this.draw());
  }

  setRange(count) {
    [this.first.value, this.last.value] = this.ends(count);
  }

  // First and last of the newest `count` days.
  ends(count) {
    const days = this.data.days;
    return [days[Math.max(0, days.length - count)] ?? days[0], days[days.length - 1]];
  }

  // Indexes of the chosen days. A first day after the last one is meant the other way round.
  range() {
    if (this.first.value && this.last.value && this.first.value > this.last.value) {
      [this.first.value, this.last.value] = [this.last.value, this.first.value];
    }
    const [whole, newest] = this.ends(Infinity), from = this.first.value || whole, to = this.last.value || newest;
    let marked = false;
    for (const button of [...board.querySelectorAll("[data-days]")].reverse()) { // of two that mean the same days, the widest is marked
      const ends = this.ends(+button.dataset.days || Infinity), same = !marked && from === ends[0] && to === ends[1];
      button.setAttribute("aria-pressed", same);
      marked ||= same;
    }
    return this.data.days.map((day, index) => [day, index]).filter(([day]) => day >= from && day <= to).map(([, index]) => index);
  }

  draw() {
    this.indexes = this.plots.indexes = this.range();
    this.many = this.indexes.length > MANY;
    for (const said of board.querySelectorAll("[data-many]")) said.hidden = (said.dataset.many === "yes") !== this.many;
    this.fillDays();
    this.features.draw();
    this.drawPerformance();
    this.drawLabels();
    this.drawMatrix();
    this.kinds.draw();
  }

  fillDays() {
    const fill = (select, options, wanted) => {
      if (!select) return;
      select.replaceChildren(...options.map(([text, value]) => new Option(text, value)));
      select.value = options.some(([, value]) => value === wanted) ? wanted : options[0]?.[1] ?? "";
    };
    const newest = [...this.indexes].reverse(), pick = document.getElementById("day"), chosen = document.getElementById("matrix-day");
    const verdict = this.data.drift.verdict, mark = (i) => (verdict[i] === "ok" ? "" : `, ${this.words(verdict[i])}`);
    fill(pick, newest.filter((i) => verdict[i]).map((i) => [this.data.days[i] + mark(i), this.data.days[i]]), pick?.value);
    const measured = newest.filter((i) => this.data.performance.counted[i]), models = new Map();
    for (const i of measured) models.set(this.data.version[i], (models.get(this.data.version[i]) ?? 0) + 1);
    const { champion } = this.data, named = [...models].sort(([a], [b]) => (b === champion) - (a === champion));
    const days = (n) => `${n} ${n === 1 ? "day" : "days"}`;
    fill(chosen, [
      ...named.map(([model, n]) => [`${model}${model === champion ? ", the champion" : ""}: ${days(n)}`, `model:${model}`]),
      ...(named.length === 1 ? [] : [["all days of the range", "all"]]),
      ...measured.map((i) => [this.data.days[i], this.data.days[i]]),
    ], chosen?.value);
  }

  // One class by day, asked for once.
  ofClass(name) {
    this.classes[name] ??= fetchJson(`${board.dataset.class}?name=${encodeURIComponent(name)}`).catch((error) => { delete this.classes[name]; throw error; });
    return this.classes[name];
  }

  async drawPerformance() {
    if (!document.getElementById("performance-chart")) return;
    const all = this.data.performance, { plots, measure } = this, whole = measure === "accuracy";
    const [label, kind] = whole ? [] : JSON.parse(measure);
    let found = all.accuracy;
    try {
      if (!whole) found = (await this.ofClass(label)).measures[kind];
    } catch (error) {
      plots.message("performance-chart", `This cannot be shown: ${error.message}`);
      return;
    }
    if (measure !== this.measure) return;
    const title = whole ? "Accuracy" : `${this.data.words.measures[kind]} of ${label}`;
    document.getElementById("performance-title").textContent = `${title}, on each day's labels`;
    const column = (values) => this.indexes.map((i) => values[i]), drawn = (curve) => (this.many ? curve.week : curve);
    const others = whole ? Object.keys(all.others) : [];
    for (const name of Object.keys(OTHERS)) board.querySelector(`.k-${name}`).hidden = !others.includes(name);
    const plain = (name, more) => ({ label: name, width: 0, points: { show: false }, ...more });
    const said = (texts) => (_, v, series, at) => texts[this.indexes[at]] ?? "–";
    const floor = column(whole ? all.floor : all.floor.map(() => null)), known = [...column(drawn(found).low), ...column(found.value), ...this.indexes.filter((i) => whole && all.verdict[i] === "alert").map((i) => found.low[i]), ...others.flatMap((name) => column(drawn(all[name]).value)), ...floor].filter((v) => v != null);
    plots.draw("performance-chart", {
      data: [plots.dates(), column(drawn(found).high), column(drawn(found).low), column(drawn(found).value), floor, ...others.map((name) => column(drawn(all[name]).value))],
      series: [plain(""), plain(""), plain(title, { stroke: color("day"), width: this.many ? 2 : 1, value: said(found.text) }),
        plain(whole ? "floor" : "", { stroke: color("bad"), width: 1.5, dash: [2, 3], value: said(all.floor_text) }),
        ...others.map((name) => plain(all.others[name], { stroke: color(OTHERS[name][0]), width: 2, dash: OTHERS[name][1], value: said(all[name].text) }))],
      bands: [{ series: [1, 2], fill: faint("day", this.many ? 0.18 : 0.1) }],
      range: [Math.max(0, Math.floor(10 * Math.min(1, ...known) - 0.2) / 10), 1.02], axisValue: percent,
      unit: whole ? "labelled images answered right" : title,
      marks: (plot) => this.indexes.forEach((i, at) => {
        if (this.retrained(i) !== "–") plots.triangle(plot, at);
        const verdict = whole ? all.verdict[i] : "ok";
        if (found.value[i] == null || (this.many && verdict !== "alert")) return;
        const tone = whole ? this.tone(verdict) : color("day");
        if (found.low[i] != null) plots.whisker(plot, at, found.low[i], found.high[i], tone);
        plots.dot(plot, at, found.value[i], verdict, tone);
      }),
      label: `${title} of ${this.indexes.length} days with intervals, ${column(all.verdict).filter((v) => v === "alert").length} alerts, ${this.indexes.filter((i) => this.retrained(i) !== "–").length} days with a retraining`,
    });
    this.table("performance-table", ["Day", "Verdict", title, "From", "To", "Floor", ...others.map((name) => all.others[name]), "Model", "Retraining"],
      (i) => [this.data.days[i], this.words(all.verdict[i]), found.text[i], percent(found.low[i]), percent(found.high[i]), all.floor_text[i], ...others.map((name) => all[name].text[i]), this.data.version[i] ?? "–", this.retrained(i)]);
  }

  // What the retrainings on labels up to a day came to.
  retrained(i) {
    const found = this.data.retrainings.filter(({ day }) => day === this.data.days[i]);
    return found.map(({ decision, version }) => [version, this.data.words.gates[decision] ?? "not compared yet"].filter(Boolean).join(", ")).join("; ") || "–";
  }

  drawLabels() {
    if (!document.getElementById("labels-chart")) return;
    const all = this.data.performance;
    const coverage = (i) => (all.sampled[i] ? all.labels[i] / all.sampled[i] : null);
    const line = (label, stroke, value, dash) => ({ label, stroke, dash, width: 2, points: { show: !this.many, size: 5, fill: stroke }, value: (_, v) => value(v) });
    this.plots.draw("labels-chart", {
      data: [this.plots.dates(), this.indexes.map(coverage), this.indexes.map((i) => all.alpha[i])],
      series: [line("share of the sample with a label", color("day"), percent), line("agreement α", color("unsure"), short, [8, 4])],
      range: [Math.min(0, ...this.indexes.map((i) => all.alpha[i] ?? 0)), 1.02], small: true, unit: "share; α: 1 all agree, 0 chance",
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
    const model = chosen.startsWith("model:") ? chosen.slice(6) : null;
    const [first, last] = model !== null || chosen === "all" ? [days[0], days[days.length - 1]] : [chosen, chosen];
    if (!first) { target.replaceChildren(); note.textContent = "No day in this range."; return; }
    let found;
    try {
      found = await fetchJson(`${board.dataset.confusions}?${new URLSearchParams({ first, last, ...(model !== null && { model }) })}`);
    } catch (error) {
      if (turn === this.matrixTurn) { target.replaceChildren(); note.textContent = `This cannot be shown: ${error.message}`; }
      return;
    }
    if (turn !== this.matrixTurn) return;
    document.getElementById("matrix-title").textContent = found.table.title;
    target.setAttribute("aria-label", found.table.about);
    target.replaceChildren(found.table.rows.length ? matrix(found.table) : pairs(found.table));
    note.textContent = found.note;
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
    document.getElementById(id).replaceChildren(numbers(heads, lines));
  }
}
