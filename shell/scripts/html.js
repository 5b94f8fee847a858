// Inserts a script before all others of an HTML page while the page streams through.

/** Longest begin of a page in which the doctype is looked for, and the encoding declared. */
const longestBegin = 1024;

/** Pieces of a page in and out. */
export class ScriptInjector {
  /** @param {string} script text of the script, without `</script` */
  constructor(script) {
    this.element = new TextEncoder().encode(`<script>${script}</script>`);
    /** @type {Uint8Array} */
    this.begin = new Uint8Array(0);
    this.isDone = false;
  }

  /**
   * Takes the next piece; returns what can be passed on.
   *
   * @param {Uint8Array} bytes
   * @returns {Uint8Array[]}
   */
  push(bytes) {
    if (this.isDone) return [bytes];
    this.begin = join(this.begin, bytes);
    return this.begin.length < longestBegin ? [] : this.end();
  }

  /**
   * The rest of the page.
   *
   * @returns {Uint8Array[]}
   */
  end() {
    if (this.isDone) return [];
    this.isDone = true;
    const at = afterDoctype(this.begin);
    return [this.begin.subarray(0, at), this.element, this.begin.subarray(at)].filter((piece) => piece.length > 0);
  }
}

/**
 * Position after a byte order mark, comments and the doctype. A script there stands in the
 * page's head, before everything else.
 *
 * @param {Uint8Array} begin
 */
function afterDoctype(begin) {
  const text = latin1(begin);
  const found = /^(?:\xef\xbb\xbf)?(?:\s|<!--[^]*?-->)*<!doctype[^>]*>/i.exec(text);
  if (found) return found[0].length;
  return text.startsWith("\xef\xbb\xbf") ? 3 : 0;
}

/**
 * The encoding that a page declares within its first 1024 bytes (HTML, section 13.2.3.2). The
 * injected script moves the declaration behind them, so it has to be told to the browser.
 *
 * @param {Uint8Array} begin
 * @returns {string | null}
 */
export function declaredEncoding(begin) {
  const text = latin1(begin.subarray(0, longestBegin)).replace(/<!--[^]*?-->/g, "");
  const found = /<meta\s[^>]*?charset\s*=\s*["']?\s*([\w.:-]+)/i.exec(text);
  return found ? found[1] : null;
}

/** @param {Uint8Array} bytes */
function latin1(bytes) {
  return String.fromCharCode(...bytes.subarray(0, longestBegin));
}

/**
 * @param {Uint8Array} first
 * @param {Uint8Array} second
 */
function join(first, second) {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
