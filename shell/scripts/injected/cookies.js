// Tells the shell page what this page assigns to `document.cookie`, also for paths that the shell
// page does not see.

/** @param {Window} shell */
export function followCookies(shell) {
  const native = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
  if (!native?.get || !native.set) return;
  const { get, set } = native;
  Object.defineProperty(Document.prototype, "cookie", {
    configurable: true,
    enumerable: true,
    get() {
      return get.call(this);
    },
    set(text) {
      set.call(this, text);
      shell.postMessage({ gruppetto: "cookie", text: String(text), path: location.pathname }, location.origin);
    },
  });
}
