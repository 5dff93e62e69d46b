// One chart: uPlot with this monitor's axis of days, its background (drifted days, takeovers), and marks that do not speak by colour alone.
"use strict";

export const DAY = 86400;
const HALF = DAY / 2;
export const seconds = (day) => Date.parse(`${day}T00:00:00Z`) / 1000;
export const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
export const faint = (name, share) => `color-mix(in srgb, ${color(name)} ${Math.round(100 * share)}%, transparent)`;
export const percent = (share) => (share == null ? "–" : `${+(100 * share).toFixed(1)} %`);
export const short = (value) => (value == null ? "–" : String(+value.toPrecision(4)));

// `days`: each day of the monitor; `takeovers`: of its series; `drifted`: whether a day did. `indexes`: of the days that are shown.
export class Plots {
  constructor(days, takeovers, drifted) {
    Object.assign(this, { days, takeovers, drifted, indexes: [], made: {} });
  }

  dates() {
    return this.indexes.map((i) => seconds(this.days[i]));
  }

  // `wanted`: data and series as uPlot has them; label; unit, of the upright axis; across, of the other one where it is no time; range; steps
  // of a reference behind the curves; marks, drawn last.
  draw(id, wanted) {
    const target = document.getElementById(id);
    this.made[id]?.destroy();
    target.replaceChildren();
    if (!wanted.data[0].length) { this.message(id, "No day in this range."); return; }
    const plot = new uPlot(this.options(target, wanted), wanted.data, target);
    this.made[id] = plot;
    const canvas = target.querySelector("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${wanted.label}. The table below has the numbers.`);
    [...target.querySelectorAll(".u-legend .u-series")].slice(1).forEach((row, at) => {
      const { label, stroke } = wanted.series[at];
      row.hidden = !label;
      if (label && stroke) row.querySelector(".u-label").style.color = stroke; // a bar's own colour may be too faint for text
    });
  }

  options(target, wanted) {
    const time = wanted.time !== false, text = color("muted"), grid = { stroke: color("line"), width: 1 }, x = wanted.data[0];
    const ends = [x[0] - HALF, x[x.length - 1] + HALF]; // half a day around the days that are there, be it one
    const named = (label) => (label ? { label, labelSize: 20, labelGap: 0, labelFont: "11px system-ui, sans-serif" } : {});
    return {
      width: Math.max(200, target.clientWidth), height: wanted.small ? 220 : 330, tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), "Etc/UTC"),
      series: [{ label: time ? "Day" : "Value", value: (_, v) => (v == null ? "–" : time ? new Date(v * 1000).toISOString().slice(0, 10) : short(v)) }, ...wanted.series],
      bands: wanted.bands ?? [], ...(time ? { padding: [22, 10, 0, 0] } : {}),
      scales: { x: { time, range: time ? () => ends : undefined }, y: wanted.range ? { range: wanted.range } : {} },
      axes: [{ stroke: text, grid: { show: false }, ticks: grid, ...named(wanted.across), ...(time ? { values: (u, splits) => dates(splits), space: 64, incrs: [1, 2, 7, 14, 28, 91, 182, 364].map((n) => n * DAY) } : {}) },
        { stroke: text, grid, ticks: { show: false }, size: wanted.wide ? 78 : 54, ...named(wanted.unit), ...(wanted.incrs ? { incrs: wanted.incrs } : {}), ...(wanted.axisValue ? { values: (u, ticks) => ticks.map(wanted.axisValue) } : {}) }],
      legend: { live: true, markers: { show: false }, isolate: false }, cursor: { y: false, drag: { x: false, y: false } },
      hooks: { drawClear: [(u) => time && this.background(u, wanted.steps ?? [])], draw: [(u) => { if (time) this.names(u); wanted.marks?.(u); }],
        ready: [(u) => u.setLegend({ idx: wanted.first ?? x.length - 1 })] }, // the newest day's numbers until another is pointed at
    };
  }

  message(id, text) {
    this.made[id]?.destroy();
    delete this.made[id];
    document.getElementById(id).replaceChildren(Object.assign(document.createElement("p"), { className: "empty", textContent: text }));
  }

  // Drifted days shaded, the steps of a reference, other models as named lines; behind the curves.
  background(plot, steps) {
    const { ctx, bbox } = plot, ratio = devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = faint("warn", 0.13);
    for (const i of this.indexes) {
      if (!this.drifted(i)) continue;
      const [left, right] = this.edges(plot, i, i);
      ctx.fillRect(left, bbox.top, Math.max(1, right - left), bbox.height);
    }
    for (const step of steps) this.step(plot, step);
    ctx.strokeStyle = color("muted");
    ctx.lineWidth = 1.5 * ratio;
    ctx.setLineDash([5 * ratio, 4 * ratio]);
    for (const [at] of this.shown(plot)) {
      ctx.beginPath();
      ctx.moveTo(at, bbox.top);
      ctx.lineTo(at, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  // Where the takeovers of the range are, and who took over.
  shown(plot) {
    const { bbox } = plot;
    return this.takeovers.map(({ day, version }) => [plot.valToPos(seconds(day) - HALF, "x", true), version]).filter(([at]) => at >= bbox.left && at <= bbox.left + bbox.width);
  }

  // Each takeover's model, above the chart. Where two would lie on each other, the second is left to the table.
  names(plot) {
    const { ctx, bbox } = plot, gap = 4 * devicePixelRatio;
    let free = bbox.left;
    ctx.save();
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textBaseline = "bottom";
    ctx.textAlign = "left";
    ctx.fillStyle = color("muted");
    for (const [at, version] of this.shown(plot)) {
      const { width } = ctx.measureText(version), left = Math.min(at - gap, bbox.left + bbox.width - width);
      if (left < free) continue;
      ctx.fillText(version, left, bbox.top - gap);
      free = left + width + 2 * gap;
    }
    ctx.restore();
  }

  edges(plot, from, to) {
    return [seconds(this.days[from]) - HALF, seconds(this.days[to]) + HALF].map((at) => plot.valToPos(at, "x", true));
  }

  // A reference that holds from one day to another: its band and its middle, level between them. It jumps where another takes its place.
  step(plot, { from, to, low, middle, high }) {
    const { ctx } = plot, [left, right] = this.edges(plot, from, to), [top, line, foot] = [high, middle, low].map((v) => (v == null ? null : plot.valToPos(v, "y", true)));
    if (top != null && foot != null) {
      ctx.fillStyle = faint("reference", 0.38);
      ctx.fillRect(left, top, right - left, foot - top);
    }
    if (line == null) return;
    ctx.strokeStyle = color("muted");
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(left, line);
    ctx.lineTo(right, line);
    ctx.stroke();
    ctx.setLineDash([]);
  }

  // The days in a row for which `same(i)` is the same and not null, as [first, last].
  runs(same) {
    const found = [];
    let held = null;
    for (const i of this.indexes) {
      const now = same(i) ?? null, last = found[found.length - 1];
      if (now !== null && now === held) last[1] = i;
      else if (now !== null) found.push([i, i]);
      held = now;
    }
    return found;
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

  // A circle; a diamond for an alert or a drifted day, hollow for too little evidence: never by colour alone.
  dot(plot, at, value, verdict, fill, size = this.roomy(plot) ? 5 : 2.5) {
    const { ctx } = plot, x = plot.valToPos(plot.data[0][at], "x", true), y = plot.valToPos(value, "y", true), r = size * devicePixelRatio;
    ctx.save();
    ctx.setLineDash([]);
    ctx.fillStyle = fill;
    ctx.strokeStyle = verdict === "not_enough_evidence" ? fill : color("card");
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.beginPath();
    if (verdict === "alert" || verdict === "drifted") {
      const d = 1.35 * Math.max(r, 4 * devicePixelRatio);
      ctx.moveTo(x, y - d); ctx.lineTo(x + d, y); ctx.lineTo(x, y + d); ctx.lineTo(x - d, y); ctx.closePath();
    } else {
      ctx.arc(x, y, r, 0, 2 * Math.PI);
    }
    if (verdict === "not_enough_evidence") ctx.fillStyle = color("card");
    ctx.fill();
    ctx.stroke();
    ctx.restore();
  }

  // A triangle on the axis at the day at that place.
  triangle(plot, at) {
    const { ctx, bbox } = plot, foot = bbox.top + bbox.height, r = 7 * devicePixelRatio, x = plot.valToPos(plot.data[0][at], "x", true);
    ctx.save();
    ctx.fillStyle = color("text");
    ctx.beginPath();
    ctx.moveTo(x - r, foot); ctx.lineTo(x + r, foot); ctx.lineTo(x, foot - 1.6 * r); ctx.closePath();
    ctx.fill();
    ctx.restore();
  }
}

function dates(splits) {
  let month = "";
  return splits.map((at) => {
    const date = new Date(at * 1000), now = date.toLocaleDateString("en-GB", { month: "short", timeZone: "UTC" });
    const text = `${date.getUTCDate()}${now === month ? "" : ` ${now}`}`;
    month = now;
    return text;
  });
}
