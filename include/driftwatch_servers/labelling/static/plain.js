// A project's HTML as text and the plainest of its structure: nothing in it can run or load.
export function plainHtml(html) {
  return copy(new DOMParser().parseFromString(html, "text/html").body);
}

function copy(node) {
  return [...node.childNodes].flatMap((child) => {
    if (child.nodeType === Node.TEXT_NODE) return [document.createTextNode(child.textContent)];
    if (child.nodeType !== Node.ELEMENT_NODE || /^(SCRIPT|STYLE|IFRAME|OBJECT)$/.test(child.tagName)) return [];
    const inner = copy(child);
    if (!/^(P|UL|OL|LI|B|STRONG|I|EM|H[1-6]|BR)$/.test(child.tagName)) return inner;
    const made = document.createElement(child.tagName);
    made.append(...inner);
    return [made];
  });
}
