// The map of a day's images: points on a canvas, coloured by what is chosen. A click opens the image.
"use strict";

const NEAR = 12, MARGIN = 18, MOST_COLOURS = 8, DOT = 3.4;
const box = document.querySelector(".map"), canvas = box.querySelector("canvas"), tip = box.querySelector(".tip");
const key = document.getElementById("map-key"), chooser = document.getElementById("colour");
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
// Colours that stay apart for colour-blind people too (Okabe and Ito, 2008), lighter in the dark.
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a7a00", "#7b5fd0"];
let data, places = [];

fetch(box.dataset.points)
  .then((answer) => (answer.ok ? answer.json() : answer.json().then((found) => Promise.reject(new Error(found.detail)))))
  .then((found) => { data = found; draw(); })
  .catch((error) => { key.textContent = `The map cannot be drawn: ${error.message}`; });

function groups() {
  const name = chooser.value, told = data.of_day.told[name];
  if (!told) return { of: () => "this day", names: ["this day"], colour: () => style("--day") };
  const counts = new Map();
  told.forEach((value) => counts.set(value || "not known", (counts.get(value || "not known") ?? 0) + 1));
  const names = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
  const shown = names.slice(0, MOST_COLOURS), more = names.length > MOST_COLOURS;
  const of = (place) => (shown.includes(told[place] || "not known") ? told[place] || "not known" : "others");
  const colour = (value) => (value === "others" || value === "not known" ? style("--muted") : value === "right" ? COLOURS[2] : value === "wrong" ? COLOURS[1] : COLOURS[shown.indexOf(value)]);
  return { of, names: more ? [...shown, "others"] : shown, colour };
}

function draw() {
  const width = box.clientWidth, height = Math.round(Math.min(620, Math.max(300, width * 0.6))), scale = window.devicePixelRatio || 1;
  Object.assign(canvas, { width: width * scale, height: height * scale });
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const both = [data.of_reference, data.of_day], all = (axis) => both.flatMap((points) => points[axis]);
  const [left, right, low, high] = [Math.min(...all("x")), Math.max(...all("x")), Math.min(...all("y")), Math.max(...all("y"))];
  // One unit is as long in both directions.
  const unit = Math.min((width - 2 * MARGIN) / (right - left || 1), (height - 2 * MARGIN) / (high - low || 1));
  const x = (value) => width / 2 + (value - (left + right) / 2) * unit, y = (value) => height / 2 - (value - (low + high) / 2) * unit;
  places = both.flatMap((points, of) => points.images.map((image, place) => ({ image, of, place, x: x(points.x[place]), y: y(points.y[place]) })));
  const { of, names, colour } = groups(), wrong = data.of_day.told["right or wrong"] ?? [];
  pen.lineWidth = 1.2;
  for (const point of places) {
    pen.beginPath();
    if (!point.of) {
      pen.strokeStyle = style("--muted");
      pen.arc(point.x, point.y, DOT, 0, 2 * Math.PI);
      pen.stroke();
      continue;
    }
    pen.fillStyle = pen.strokeStyle = colour(of(point.place));
    if (wrong[point.place] === "wrong") {
      for (const side of [-1, 1]) { pen.moveTo(point.x - DOT, point.y - side * DOT); pen.lineTo(point.x + DOT, point.y + side * DOT); }
      pen.lineWidth = 2;
      pen.stroke();
      pen.lineWidth = 1.2;
    } else {
      pen.globalAlpha = 0.75;
      pen.arc(point.x, point.y, DOT, 0, 2 * Math.PI);
      pen.fill();
      pen.globalAlpha = 1;
    }
  }
  const counted = new Map();
  data.of_day.images.forEach((_, place) => counted.set(of(place), (counted.get(of(place)) ?? 0) + 1));
  key.replaceChildren(entry(style("--muted"), `reference ${data.of_reference.images.length}`, true), ...names.map((name) => entry(colour(name), `${name} ${counted.get(name) ?? 0}`)));
}

function entry(colour, words, ring) {
  const row = document.createElement("span"), mark = document.createElement("i");
  mark.style.cssText = ring ? `border: 2px solid ${colour}` : `background: ${colour}`;
  row.append(mark, words);
  return row;
}

function nearest(event) {
  const at = canvas.getBoundingClientRect(), [x, y] = [event.clientX - at.left, event.clientY - at.top];
  let best = null, least = NEAR ** 2;
  for (const point of places) {
    const away = (point.x - x) ** 2 + (point.y - y) ** 2;
    if (away < least && point.image) [best, least] = [point, away];
  }
  return best;
}

const address = (point) => (point.of ? box.dataset.images : box.dataset.training) + point.image + "/";

canvas.addEventListener("mousemove", (event) => {
  const point = nearest(event);
  canvas.style.cursor = point ? "pointer" : "";
  tip.hidden = !point;
  if (!point || tip.dataset.image === point.image) return;
  tip.dataset.image = point.image;
  const points = point.of ? data.of_day : data.of_reference;
  const words = Object.entries(points.told).map(([name, told]) => told[point.place] && `${name}: ${told[point.place]}`).filter(Boolean);
  const picture = Object.assign(new Image(), { src: `${address(point)}view.jpg`, alt: "" });
  tip.replaceChildren(picture, [point.of ? "this day" : "reference", ...words].join(", "));
  const width = box.clientWidth;
  tip.style.left = `${Math.min(point.x + 14, width - 190)}px`;
  tip.style.top = `${point.y + 14}px`;
});
canvas.addEventListener("mouseleave", () => { tip.hidden = true; });
canvas.addEventListener("click", (event) => {
  const point = nearest(event);
  if (point) location.assign(address(point));
});
chooser.addEventListener("change", () => data && draw());
new ResizeObserver(() => data && draw()).observe(box);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => data && draw());
