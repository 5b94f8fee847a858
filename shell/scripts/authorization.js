// User name and password for sites with HTTP Basic authentication (RFC 7617). They are kept until
// the page is closed.

import { valueOf } from "./fields.js";

/** Asks the user, and remembers the answer. */
export class Authorization {
  /** @param {HTMLDialogElement} dialog with a form whose fields are `user` and `password` */
  constructor(dialog) {
    this.dialog = dialog;
    /** Value of the field `Authorization`. @type {string | null} */
    this.field = null;
  }

  /** @param {import("./fields.js").Fields} fields of a response with the status 401 */
  isWanted(fields) {
    return /^\s*basic\b/i.test(valueOf(fields, "www-authenticate") ?? "");
  }

  /**
   * Resolves to whether the user has given a password.
   *
   * @param {import("./fields.js").Fields} fields
   * @returns {Promise<boolean>}
   */
  ask(fields) {
    const [, realm = ""] = /realm="([^"]*)"/i.exec(valueOf(fields, "www-authenticate") ?? "") ?? [];
    const { dialog } = this;
    const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
    /** @type {HTMLElement} */ (dialog.querySelector("[data-realm]")).textContent = realm;
    if (!dialog.open) dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => {
        const isGiven = dialog.returnValue === "send";
        const answer = new FormData(form);
        if (isGiven) this.field = basic(String(answer.get("user")), String(answer.get("password")));
        form.reset();
        resolve(isGiven);
      }, { once: true });
    });
  }
}

/** @param {string} user @param {string} password */
export function basic(user, password) {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
