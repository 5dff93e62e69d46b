// The other charts of a day: content, predictions, trend; images and cost. Drawn when they come into sight.
"use strict";

import { color, faint, percent, short } from "./plot.js";

const money = (value) => (value == null ? "–" : `${value.toFixed(2)} USD`);
const whole = (value) => (value == null ? "–" : value.toLocaleString("en"));
const rare = (power) => (power === 0 ? "any day" : `1 in ${whole(Math.round(10 ** power))}`);

// `monitor`: the board's Monitor, whose days, plots and tables these are.
export class Kinds {
  constructor(monitor) {
    this.of = monitor;
    this.seen = false;
    const target = document.getElementById("kinds");
    if (!target) return;
    this.answer = document.getElementById("answer");
    this.answer?.append(...monitor.data.classes.map((name) => new Option(`Share of ${name}`, name)));
    this.answer?.addEventListener("change", () => this.predictions());
    new IntersectionObserver((found, watch) => { // of a quick scroll there are several at once
      if (!found.some((one) => one.isIntersecting)) return;
      watch.disconnect();
      this.seen = true;
      this.draw();
    }, { rootMargin: "300px" }).observe(target);
  }

  draw() {
    if (!this.seen) return;
    const { data } = this.of;
    this.rarity("content", data.content, "Content");
    this.predictions();
    this.trend(data.trend);
    this.volume(data.images);
    if (data.cost) this.cost(data.cost);
  }

  column(values) {
    return this.of.plots.indexes.map((i) => values[i]);
  }

  said(texts) {
    return (_, v, series, at) => texts[this.of.plots.indexes[at]] ?? "–";
  }

  marks(values, verdict) {
    const { plots } = this.of;
    return (plot) => plots.indexes.forEach((i, at) => {
      if (values[i] != null) plots.dot(plot, at, values[i], verdict[i], verdict[i] === "drifted" ? color("warn") : color("day"), plots.roomy(plot) ? 3.5 : 1.5);
    });
  }

  // Says so where no day of the range has a number, with what the newest day says of it.
  nothing(id, values, said) {
    if (this.column(values).some((v) => v != null)) return false;
    const newest = this.column(said).filter((text) => text !== "–").pop();
    this.of.plots.message(id, newest ? `No number yet: ${newest}.` : "No day of this range was tested for this.");
    this.of.table(id.replace("-chart", "-table"), ["Day", "Found"], (i) => [this.of.data.days[i], said[i]]);
    return true;
  }

  limits(values) {
    return this.of.plots.runs((i) => values[i]).map(([from, to]) => ({ from, to, middle: values[from] }));
  }

  // How seldom such a day is without drift; at or above the dashed line it alarms.
  rarity(id, found, name) {
    if (this.nothing(`${id}-chart`, found.rarity, found.said)) return;
    const { plots, data } = this.of, line = { width: 1.5, stroke: color("day"), points: { show: false } };
    const top = Math.max(3, ...this.column(found.rarity), ...this.column(found.limit)) + 0.4;
    plots.draw(`${id}-chart`, {
      data: [plots.dates(), this.column(found.rarity), this.column(found.limit)],
      series: [{ ...line, label: "found", value: this.said(found.said) }, { label: "alarms from", value: (_, v) => (v == null ? "–" : rare(v)), width: 0, points: { show: false } }],
      range: [-0.15, top], axisValue: rare, incrs: [1, 2], wide: true, unit: "so unusual a day, by chance", small: true,
      steps: this.limits(found.limit), marks: this.marks(found.rarity, found.verdict),
      label: `${name} of ${plots.indexes.length} days: how seldom such a day is by chance; ${this.column(found.verdict).filter((v) => v === "drifted").length} drifted`,
    });
    this.of.table(`${id}-table`, ["Day", "Verdict", "Found", "p", "Alarm below"],
      (i) => [data.days[i], this.of.words(found.verdict[i]), found.said[i], short(found.p_value[i]), found.limit[i] == null ? "–" : short(10 ** -found.limit[i])]);
  }

  async predictions() {
    const chosen = this.answer.value, { plots, data } = this.of;
    document.getElementById("predictions-key").hidden = !chosen;
    if (!chosen) { this.rarity("predictions", data.predictions, "Predictions"); return; }
    let found;
    try {
      found = await this.of.ofClass(chosen);
    } catch (error) {
      plots.message("predictions-chart", `This cannot be shown: ${error.message}`);
      return;
    }
    if (chosen !== this.answer.value) return;
    const known = [...this.column(found.share), ...this.column(found.usual)].filter((v) => v != null);
    plots.draw("predictions-chart", {
      data: [plots.dates(), this.column(found.share), this.column(found.usual)],
      series: [{ label: "the day", value: (_, v) => percent(v), stroke: color("day"), width: 1.5, points: { show: false } }, { label: "in the reference", value: (_, v) => percent(v), width: 0, points: { show: false } }],
      range: [0, Math.min(1.02, 1.15 * Math.max(0.05, ...known))], axisValue: percent, wide: true, unit: "share of the answers", small: true,
      steps: this.limits(found.usual), marks: this.marks(found.share, found.verdict),
      label: `Share of ${chosen} among the answers of ${plots.indexes.length} days`,
    });
    this.of.table("predictions-table", ["Day", "Verdict", "Share", "In the reference"],
      (i) => [data.days[i], this.of.words(found.verdict[i]), percent(found.share[i]), percent(found.usual[i])]);
  }

  trend(found) {
    if (this.nothing("trend-chart", found.score, found.said)) return;
    const { plots, data } = this.of;
    plots.draw("trend-chart", {
      data: [plots.dates(), this.column(found.score), this.column(found.limit)],
      series: [{ label: "found", value: this.said(found.said), stroke: color("day"), width: 1.5, points: { show: false } }, { label: "alarms above", value: (_, v) => short(v), width: 0, points: { show: false } }],
      range: [0, 1.15 * Math.max(1, ...this.column(found.score), ...this.column(found.limit))], unit: "differences added up (CUSUM)", wide: true, small: true,
      steps: this.limits(found.limit), marks: this.marks(found.score, found.verdict),
      label: `Slow changes over ${plots.indexes.length} days: small daily differences, added up`,
    });
    this.of.table("trend-table", ["Day", "Verdict", "Found", "Height", "Alarm above"],
      (i) => [data.days[i], this.of.words(found.verdict[i]), found.said[i], short(found.score[i]), short(found.limit[i])]);
  }

  // Bars on each other: accepted, duplicates, quarantined.
  volume(images) {
    const { plots, data } = this.of, parts = ["accepted", "duplicate", "quarantined"];
    const upTo = (last) => plots.indexes.map((i) => (images.accepted[i] == null ? null : parts.slice(0, last + 1).reduce((sum, name) => sum + (images[name][i] ?? 0), 0)));
    const tone = { accepted: "day", duplicate: "reference", quarantined: "warn" };
    plots.draw("volume-chart", {
      data: [plots.dates(), ...parts.map((_, at) => upTo(at)).reverse()],
      series: [...parts].reverse().map((name) => ({ label: name, value: (_, v, s, at) => whole(images[name][plots.indexes[at]]), fill: color(tone[name]), stroke: color(name === "duplicate" ? "muted" : tone[name]), width: 0, paths: bars(), points: { show: false } })),
      range: [0, Math.max(1, 1.08 * Math.max(...upTo(2)))], axisValue: whole, unit: "images", wide: true, small: true,
      label: `Images of ${plots.indexes.length} days: accepted, duplicates and quarantined`,
    });
    const heads = ["listed", "accepted", "duplicate", "quarantined", "ignored"];
    this.of.table("volume-table", ["Day", ...heads], (i) => [data.days[i], ...heads.map((name) => whole(images[name][i]))]);
  }

  cost(found) {
    const { plots, data } = this.of;
    const most = Math.max(...this.column(found.planned), ...this.column(found.paid));
    plots.draw("cost-chart", {
      data: [plots.dates(), this.column(found.planned), this.column(found.paid)],
      series: [["planned", faint("reference", 0.7), color("muted")], ["paid", color("day"), color("day")]].map(([name, fill, stroke]) => ({ label: name, value: (_, v) => money(v), fill, stroke, width: 0, paths: bars(), points: { show: false } })),
      range: [0, Math.max(0.01, 1.08 * most)], axisValue: short, unit: "USD, fee included", wide: true, small: true,
      label: `What the labels of ${plots.indexes.length} days were planned to cost, and what was paid`,
    });
    this.of.table("cost-table", ["Day", "Images asked about", "Planned", "Paid"], (i) => [data.days[i], whole(found.images[i]), money(found.planned[i]), money(found.paid[i])]);
  }
}

const bars = () => uPlot.paths.bars({ size: [0.7, 46] });
