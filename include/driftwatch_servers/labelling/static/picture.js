// An image to label: whether it is there, and a closer look at it.
const CLOSER = 2.5, CLOSEST = 8, STEP = 1.25, MOVE = 60, SLOW_MILLISECONDS = 10_000;

const made = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);

export class Picture {
  // `changed` is called when the state or the zoom changes. state: loading, slow (it may still come), ready, failed.
  constructor(changed, retry) {
    this.changed = changed;
    this.state = "loading";
    this.frame = made("div", { className: "frame" });
    this.missing = made("div", { className: "missing", hidden: true });
    this.why = made("p");
    this.why.setAttribute("role", "alert");
    const again = made("button", { type: "button", textContent: "Try again " });
    again.append(made("kbd", { textContent: "r" }));
    again.addEventListener("click", retry);
    this.missing.append(this.why, again);
    this.listen();
  }

  // Shows the image at an address; it is looked at as a whole again.
  show(address, name) {
    clearTimeout(this.timer);
    const image = made("img", { alt: name, draggable: false });
    image.addEventListener("load", () => { if (image === this.image) this.set(image.naturalWidth ? "ready" : "failed"); });
    image.addEventListener("error", () => { if (image === this.image) this.set("failed"); });
    this.image = image;
    this.frame.replaceChildren(image, this.missing);
    this.reset();
    this.set("loading");
    image.src = address;
    this.timer = setTimeout(() => { if (this.state === "loading") this.set("slow"); }, SLOW_MILLISECONDS);
  }

  set(state) {
    this.state = state;
    this.missing.hidden = state === "loading" || state === "ready";
    this.image.hidden = state === "failed";
    this.changed();
  }

  get zoomed() { return this.scale > 1; }

  reset() { [this.scale, this.x, this.y] = [1, 0, 0]; this.place(); }

  toggle(x, y) { if (this.zoomed) this.reset(); else this.zoom(CLOSER, x, y); }

  // Zooms by a factor. The point x, y of the frame stays where it is.
  zoom(factor, x = this.frame.clientWidth / 2, y = this.frame.clientHeight / 2) {
    if (this.state !== "ready") return;
    const scale = Math.min(CLOSEST, Math.max(1, this.scale * factor)), ratio = scale / this.scale;
    [this.scale, this.x, this.y] = [scale, x - (x - this.x) * ratio, y - (y - this.y) * ratio];
    this.place();
  }

  move(x, y) { this.x += x; this.y += y; this.place(); }

  // The image never leaves its frame.
  place() {
    const inside = (offset, length) => Math.min(0, Math.max(length * (1 - this.scale), offset));
    this.x = inside(this.x, this.frame.clientWidth);
    this.y = inside(this.y, this.frame.clientHeight);
    this.image.style.transform = this.zoomed ? `translate(${this.x}px, ${this.y}px) scale(${this.scale})` : "";
    this.frame.classList.toggle("zoomed", this.zoomed);
    this.changed();
  }

  // Whether the key was one that looks closer.
  key(key) {
    const moves = { ArrowLeft: [MOVE, 0], ArrowRight: [-MOVE, 0], ArrowUp: [0, MOVE], ArrowDown: [0, -MOVE] };
    if (key === "z") this.toggle();
    else if (key === "+" || key === "=") this.zoom(STEP);
    else if (key === "-") this.zoom(1 / STEP);
    else if (this.zoomed && key === "Escape") this.reset();
    else if (this.zoomed && key in moves) this.move(...moves[key]);
    else return false;
    return true;
  }

  listen() {
    const { frame } = this, at = (event) => { const box = frame.getBoundingClientRect(); return [event.clientX - box.x, event.clientY - box.y]; };
    let held = null, moved = false;
    frame.addEventListener("pointerdown", (event) => { if (event.target === this.image && event.button === 0) { held = event.pointerId; moved = false; } });
    frame.addEventListener("pointermove", (event) => {
      if (held !== event.pointerId || !this.zoomed || !(event.movementX || event.movementY)) return;
      if (!moved) frame.setPointerCapture(held);
      moved = true;
      frame.classList.add("dragged");
      this.move(event.movementX, event.movementY);
    });
    for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, () => { held = null; frame.classList.remove("dragged"); });
    frame.addEventListener("click", (event) => { if (!moved && (event.target === this.image || event.target === frame)) this.toggle(...at(event)); moved = false; });
    frame.addEventListener("wheel", (event) => { event.preventDefault(); this.zoom(event.deltaY < 0 ? STEP : 1 / STEP, ...at(event)); }, { passive: false });
  }
}
