// The site's own service worker would take the place of the tunnel's.

/** @param {Window} shell */
export function refuseServiceWorkers(shell) {
  const container = navigator.serviceWorker;
  if (!container) return;
  /** @param {string} name @param {PropertyDescriptor} descriptor */
  const define = (name, descriptor) => Object.defineProperty(container, name, { configurable: true, ...descriptor });
  define("register", {
    value: async () => {
      shell.postMessage({ gruppetto: "service-worker" }, location.origin);
      throw new DOMException("Pages in a tunnel cannot have a service worker of their own.", "SecurityError");
    },
  });
  define("getRegistration", { value: async () => undefined });
  define("getRegistrations", { value: async () => [] });
  define("controller", { get: () => null });
  define("ready", { get: () => new Promise(() => {}) });
}
