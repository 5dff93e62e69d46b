// What is typed on the page: single keys, and keys of several digits.
const NEXT_DIGIT_MILLISECONDS = 1500;

// What was typed, also where the keyboard has other letters, gives digits only with Shift, or makes signs with Alt.
export function character(event) {
  const [, kind, place] = event.code.match(/^(Key|Digit)(\w)$/) ?? [];
  const elsewhere = kind === "Digit" ? !event.shiftKey : event.altKey || (event.key.length === 1 && event.key > "\x7f");
  return place && elsewhere ? place.toLowerCase() : event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

// The characters of an answer's key that are typed so far. `shown` shows them.
export class Typed {
  constructor(shown) { this.shown = shown; this.clear(); }

  clear() {
    clearTimeout(this.timer);
    this.soFar = this.shown.textContent = "";
  }

  // What `keys` has for the key that this character completes; true if the key goes on; null if no key has it here.
  add(character, keys) {
    const all = this.soFar + character, goesOn = Object.keys(keys).some((key) => key.startsWith(all)), before = this.soFar;
    this.clear();
    if (keys[all]) return keys[all];
    if (!goesOn) return before ? this.add(character, keys) : null;
    this.soFar = all;
    this.shown.textContent = `${all} …`;
    this.timer = setTimeout(() => this.clear(), NEXT_DIGIT_MILLISECONDS);
    return true;
  }
}
