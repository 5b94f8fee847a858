// Lets a translator show its translations without cutting the page off from the app.
//
// A translator such as Chrome's replaces each text node by a <font> element, and
// the app goes on writing to a node that is not on the page any more. Here such a
// node is put back, empty, before the element. When the app writes to it or removes
// it, the translation is removed; the translator then translates the new text.

/** Translation of a text node: the element that shows it, and the text of the app. */
const translations = new WeakMap();
/** Text node of each such element. */
const nodes = new WeakMap();

const isNew = (node) => node?.nodeName === "FONT" && !nodes.has(node);

const observer = new MutationObserver((records) => {
  const changed = new Set();
  const replaced = new Map();
  for (const record of records) {
    if (record.type === "characterData") forget(record.target);
    for (const node of record.removedNodes) {
      const text = nodes.get(node) ?? node;
      if (translations.has(text)) changed.add(text);
      else if (node.nodeType === Node.TEXT_NODE) replaced.set(node, record);
    }
    // Removed first and replaced then.
    const font = [...record.addedNodes].find(isNew);
    for (const [node, { target, previousSibling, nextSibling }] of font ? replaced : []) {
      const isSame = record.previousSibling === previousSibling && record.nextSibling === nextSibling;
      if (record.target === target && isSame) replaced.set(node, record);
    }
  }
  changed.forEach(follow);
  replaced.forEach(({ addedNodes, previousSibling, nextSibling }, node) => {
    const font = [...addedNodes, previousSibling, nextSibling].find(isNew);
    if (font?.parentNode && !node.parentNode) keep(node, font);
  });
  // What was done here.
  observer.takeRecords();
});

/** Puts a node back that was replaced by its translation. */
function keep(node, font) {
  translations.set(node, { font, text: node.data });
  nodes.set(font, node);
  node.data = "";
  font.before(node);
  observer.observe(node, { characterData: true });
}

/** The node or its translation was moved or removed. */
function follow(node) {
  const { font, text } = translations.get(node) ?? {};
  if (!font) return;
  if (!font.parentNode) {
    // By the translator, which shows the original again.
    node.data ||= text;
    translations.delete(node);
  } else if (!node.parentNode) {
    forget(node);
  } else if (node.nextSibling !== font) {
    node.after(font);
  }
}

/** Removes a translation that the app has made obsolete. */
function forget(node) {
  translations.get(node)?.font.remove();
  translations.delete(node);
}

observer.observe(document, { childList: true, subtree: true });

// The app looks for the texts that the server wrote.
addEventListener("hydrating", () => {
  for (const font of document.querySelectorAll("font")) {
    const node = nodes.get(font);
    const { text } = translations.get(node) ?? {};
    if (text === undefined) continue;
    forget(node);
    node.data = text;
  }
  observer.takeRecords();
});
