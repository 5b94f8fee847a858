// The frame with the site, and its title and address in the shell page.

/** Interval at which addresses that a page's own script has set are noticed, in milliseconds. */
const interval = 500;
/** Time in which the browser moves the frame by itself when the history moves, in milliseconds. */
const followDelay = 400;

/** The frame titled "Shared page". */
export class PageFrame {
  /**
   * Shows the page at the same path, query and fragment as the address.
   *
   * @param {HTMLElement} parent
   * @param {import("./cookie_mirror.js").CookieMirror} cookies
   */
  constructor(parent, cookies) {
    this.cookies = cookies;
    this.isFollowing = false;
    this.frame = document.createElement("iframe");
    this.frame.title = "Shared page";
    this.frame.allow = "autoplay; clipboard-write; fullscreen; picture-in-picture; screen-wake-lock";
    // Set before it is inserted, so that it is no entry of the history.
    this.frame.src = location.pathname + location.search + location.hash;
    this.frame.onload = () => {
      this.mirror();
      this.page?.addEventListener("hashchange", () => this.mirror());
      this.page?.addEventListener("popstate", () => this.mirror());
    };
    parent.append(this.frame);
    addEventListener("popstate", () => this.follow());
    setInterval(() => this.mirror(), interval);
  }

  /** Window of the framed page; null while a page of another origin is shown. */
  get page() {
    const page = this.frame.contentWindow;
    try {
      return page?.location.origin === location.origin ? page : null;
    } catch {
      return null;
    }
  }

  mirror() {
    const page = this.page;
    if (!page || this.isFollowing) return;
    const title = page.document.title || "Shared page";
    if (document.title !== title) document.title = title;
    const { href } = page.location;
    if (href === location.href) return;
    this.cookies.whileMoving(() => history.replaceState(history.state, "", href));
  }

  /** The address has changed by the history or by the user. */
  follow() {
    this.isFollowing = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.isFollowing = false;
      const page = this.page;
      if (!page) this.frame.src = location.href;
      else if (page.location.href !== location.href) page.location.replace(location.href);
    }, followDelay);
  }
}
