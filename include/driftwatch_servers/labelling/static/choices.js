// The answers to a question: buttons where they are few, else a field that finds them by their names.
const MOST_BUTTONS = 12, MOST_SHOWN = 200, MOST_RECENT = 5;

const made = (tag, properties = {}, ...inner) => { const one = Object.assign(document.createElement(tag), properties); one.append(...inner); return one; };
const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
const named = (label, key) => [made("bdi", { textContent: label }), ...(key && key !== label ? [" ", made("kbd", { textContent: key })] : [])];

// `keys`: what is typed for a value, as a Map. `give` takes the value that is chosen.
export function choices(part, keys, give) {
  const group = made("fieldset", { className: "question" }, made("legend", { dir: "auto", textContent: part.label }));
  const button = (option) => {
    const key = keys.get(option.value), one = made("button", { type: "button" }, ...named(option.label, key));
    if (key?.length === 1) one.setAttribute("aria-keyshortcuts", key);
    one.addEventListener("click", () => give(option.value));
    return one;
  };
  const many = part.options.length > MOST_BUTTONS, list = many ? finder(part, keys, give) : null;
  const beside = part.options.filter((option) => !many || option.value === part.unclear);
  const buttons = new Map(beside.map((option) => [option.value, button(option)]));
  if (list) group.append(list.element);
  group.append(made("div", { className: "answers" }, ...buttons.values()));
  return {
    element: group,
    many,
    find: () => list?.input.focus(),
    used: (value) => list?.used(value),
    // Which answers can be given: all of them, or only the unclear one.
    allow(all) {
      buttons.forEach((one, value) => { one.disabled = !all && value !== part.unclear; });
      list?.allow(all);
    },
  };
}

function finder(part, keys, give) {
  const options = part.options.filter((option) => option.value !== part.unclear)
    .map((option, place) => ({ ...option, place, text: plain(option.label), key: keys.get(option.value) ?? "" }));
  const input = made("input", { type: "text", id: "find", placeholder: "Type a name or a number", autocomplete: "off", spellcheck: false });
  const hint = made("kbd", { textContent: "/" }), list = made("ul", { id: "found" }), none = made("p", { className: "note" });
  const attributes = { role: "combobox", "aria-label": "Find an answer", "aria-controls": "found", "aria-autocomplete": "list", "aria-keyshortcuts": "/" };
  Object.entries(attributes).forEach(([name, value]) => input.setAttribute(name, value));
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Answers");
  none.setAttribute("role", "status");
  let recent = [], shown = [], active = -1;

  // The lower, the better; -1: it does not fit. Without a text, the answers that were given last come first.
  const rank = (option, wanted) => {
    if (!wanted) return recent.includes(option.value) ? recent.indexOf(option.value) : MOST_RECENT;
    if (option.key === wanted || option.text === wanted) return 0;
    if (option.text.startsWith(wanted)) return 1;
    return option.text.includes(wanted) || option.key.startsWith(wanted) ? 2 : -1;
  };

  function fill() {
    const wanted = plain(input.value), ranks = new Map(options.map((option) => [option, rank(option, wanted)]));
    const fit = options.filter((option) => ranks.get(option) >= 0).sort((a, b) => ranks.get(a) - ranks.get(b) || a.place - b.place);
    shown = fit.slice(0, MOST_SHOWN);
    list.replaceChildren(...shown.map((option, place) => {
      const item = made("li", { id: `answer-${place}` }, ...named(option.label, option.key));
      item.setAttribute("role", "option");
      if (!wanted && recent.includes(option.value)) item.append(made("span", { className: "note", textContent: "used lately" }));
      item.addEventListener("mousedown", (event) => event.preventDefault()); // who types keeps typing
      item.addEventListener("click", () => give(option.value));
      return item;
    }));
    list.hidden = !shown.length;
    input.setAttribute("aria-expanded", String(shown.length > 0));
    none.textContent = !fit.length ? "No answer has this in its name." : fit.length > MOST_SHOWN ? `${fit.length - MOST_SHOWN} more: type a part of the name.` : "";
    list.scrollTop = 0;
    mark(wanted && shown.length ? 0 : -1);
  }

  function mark(place) {
    active = place;
    [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === place)));
    if (place < 0) input.removeAttribute("aria-activedescendant");
    else { input.setAttribute("aria-activedescendant", `answer-${place}`); list.children[place].scrollIntoView({ block: "nearest" }); }
  }

  input.addEventListener("input", fill);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.isComposing) return; // Enter ends what an input method spells
    if (step && shown.length) mark(active < 0 ? (step > 0 ? 0 : shown.length - 1) : (active + step + shown.length) % shown.length);
    else if (event.key === "Enter" && active >= 0) give(shown[active].value);
    else if (event.key === "Escape" && input.value) { input.value = ""; fill(); }
    else if (event.key === "Escape") input.blur();
    else return;
    event.preventDefault();
  });
  fill();
  return {
    element: made("div", { className: "finder" }, made("div", { className: "search" }, input, hint), list, none),
    input,
    used(value) {
      if (value !== part.unclear) recent = [value, ...recent.filter((other) => other !== value)].slice(0, MOST_RECENT);
      input.value = "";
      fill();
    },
    allow(all) { list.classList.toggle("off", !all); list.setAttribute("aria-disabled", String(!all)); },
  };
}
