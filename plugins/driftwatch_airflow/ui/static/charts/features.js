// One feature of the images: over the days, and on one day against its reference.
"use strict";

import { fetchJson } from "./fetch.js";
import { DAY, color, faint, percent, seconds, short } from "./plot.js";

// `monitor`: the board's Monitor, whose days, plots and tables these are.
export class Features {
  constructor(monitor, board) {
    Object.assign(this, { of: monitor, plots: monitor.plots, board, chosen: board.querySelector("[data-feature]")?.dataset.feature });
  }

  draw() {
    this.overTime();
    this.distribution();
  }

  overTime() {
    const found = this.of.data.features[this.chosen], { plots } = this;
    if (!found) return;
    for (const button of this.board.querySelectorAll("[data-feature]")) button.setAttribute("aria-pressed", button.dataset.feature === this.chosen);
    const title = document.getElementById("feature-title");
    title.textContent = `${found.name} over time`;
    title.title = found.tip;
    document.getElementById("feature-meaning").textContent = `Higher: ${found.higher}. Lower: ${found.lower}.`;
    const ours = (i) => found.quantiles[i], theirs = (i) => found.references[found.reference_of[i]];
    const day = (place) => this.plots.indexes.map((i) => (this.of.many ? this.smooth(found, i, place) : ours(i)?.[place] ?? null));
    const usual = (place) => this.plots.indexes.map((i) => theirs(i)?.[place] ?? null);
    const line = (label, more = {}) => ({ label, width: 0, points: { show: false }, ...more });
    const hidden = { paths: () => null };
    const ofDay = (place) => (_, v, series, at) => short(ours(this.plots.indexes[at])?.[place]);
    const looks = (_, v, series, at) => [short(ours(this.plots.indexes[at])?.[2]), found.looks[this.plots.indexes[at]]].filter(Boolean).join(", ");
    plots.draw("feature-chart", {
      data: [plots.dates(), usual(4), usual(0), usual(2), day(4), day(0), day(3), day(1), day(2)],
      series: [line("", hidden), line("", hidden), line("reference median", { ...hidden, value: (_, v) => short(v) }),
        line(""), line(""), line(""), line(""), line("day median", { stroke: color("day"), width: 2, value: looks })],
      bands: [{ series: [4, 5], fill: faint("day", 0.16) }, { series: [6, 7], fill: faint("day", 0.3) }],
      steps: plots.runs((i) => found.reference_of[i]).map(([from, to]) => ({ from, to, low: theirs(from)[0], middle: theirs(from)[2], high: theirs(from)[4] })),
      marks: (plot) => this.plots.indexes.forEach((i, at) => {
        if (found.verdict[i] === "drifted" && ours(i)) plots.dot(plot, at, ours(i)[2], "drifted", this.of.tone("drifted"));
        else if (ours(i) && !this.of.many) plots.dot(plot, at, ours(i)[2], "ok", color("day"), 2.5);
      }),
      unit: `${found.name} (${found.unit})`,
      label: `${found.name}: medians and bands of ${this.plots.indexes.length} days, ${this.plots.indexes.filter((i) => found.verdict[i] === "drifted").length} drifted`,
    });
    this.of.table("feature-table", ["Day", "Verdict", "Day 5 %", "25 %", "Median", "75 %", "95 %", "Reference 5 %", "Median", "95 %", "Effect", "Model", "Looks"],
      (i) => [this.of.data.days[i], this.of.words(found.verdict[i]), ...[0, 1, 2, 3, 4].map((q) => short(ours(i)?.[q])), ...[0, 2, 4].map((q) => short(theirs(i)?.[q])), short(found.effect[i]), found.reference_version[i] ?? "–", found.looks[i] ?? "–"]);
  }

  // The mean of one of the day's quantiles over the seven days up to it, those with the same reference.
  smooth(found, i, place) {
    if (!found.quantiles[i]) return null;
    const end = seconds(this.of.data.days[i]), week = [];
    for (let j = i; j >= 0 && end - seconds(this.of.data.days[j]) < 7 * DAY; j--) {
      if (found.quantiles[j] && found.reference_of[j] === found.reference_of[i]) week.push(found.quantiles[j][place]);
    }
    return week.reduce((sum, value) => sum + value, 0) / week.length;
  }

  async distribution() {
    const day = document.getElementById("day")?.value;
    if (!document.getElementById("distribution-chart")) return;
    const link = document.getElementById("day-link");
    link.hidden = !day;
    if (!day) { this.plots.message("distribution-chart", "No tested day in this range."); return; }
    link.href = `${this.board.dataset.dayPage}${day}/`;
    link.textContent = `The page of ${day}`;
    const feature = this.chosen, about = this.of.data.features[feature], turn = (this.turn = (this.turn ?? 0) + 1);
    document.getElementById("distribution-title").textContent = `${about?.name ?? feature} on ${day}`;
    let found;
    try {
      found = await fetchJson(`${this.board.dataset.dayPage}${day}/distribution.json?feature=${encodeURIComponent(feature)}`);
    } catch (error) {
      if (turn === this.turn) this.plots.message("distribution-chart", `No distribution: ${error.message}`);
      return;
    }
    if (turn !== this.turn) return;
    const x = found.edges, stepped = uPlot.paths.stepped({ align: 1 });
    const closed = (shares) => [...shares, shares[shares.length - 1]];
    const bars = (label, name, strength) => ({ label, stroke: color(name), fill: faint(name, strength), width: 1.5, paths: stepped, points: { show: false }, value: (_, v) => percent(v) });
    this.plots.draw("distribution-chart", {
      data: [x, found.reference ? closed(found.reference) : x.map(() => null), closed(found.shares)],
      series: [bars(`reference, ${found.reference_n} images`, "muted", 0.3), bars(`day, ${found.n} images`, "day", 0.25)],
      axisValue: percent, time: false, small: true, unit: "share of the images", across: about?.unit, first: found.shares.indexOf(Math.max(...found.shares)),
      label: `Distribution of ${about?.name} on ${day} (${found.n} images) and in the reference (${found.reference_n})`,
    });
    this.of.tables["distribution-table"] = () => this.of.rows("distribution-table", ["From", "To", "Day", "Reference"],
      found.shares.map((share, k) => [short(found.edges[k]), short(found.edges[k + 1]), percent(share), percent(found.reference?.[k])]));
    this.of.refresh("distribution-table");
  }
}
