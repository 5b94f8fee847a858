// Adapts what forbids to show a page in a frame or to run the injected script, and nothing else.

/**
 * A value of `Content-Security-Policy` that also allows the script with this hash, and frames of
 * the same origin.
 *
 * @param {string} value one or more policies, separated by commas
 * @param {string} scriptHash such as `'sha256-…'`
 */
export function adaptPolicies(value, scriptHash) {
  return value.split(",").map((policy) => adaptPolicy(policy, scriptHash)).join(", ");
}

/**
 * @param {string} policy
 * @param {string} scriptHash
 */
function adaptPolicy(policy, scriptHash) {
  /** @type {Map<string, string[]>} */
  const directives = new Map();
  for (const directive of policy.split(";")) {
    const [name, ...values] = directive.trim().split(/\s+/);
    // The first of several directives with a name counts (CSP 3, section 2.2.1).
    if (name !== "" && !directives.has(name.toLowerCase())) directives.set(name.toLowerCase(), values);
  }
  const ancestors = directives.get("frame-ancestors");
  if (ancestors && !ancestors.some((source) => source === "*" || is(source, "'self'"))) {
    directives.set("frame-ancestors", [...ancestors.filter((source) => !is(source, "'none'")), "'self'"]);
  }
  // A directive for script elements alone: a hash in `default-src` would take `'unsafe-inline'`
  // from styles as well.
  const scripts = directives.get("script-src-elem") ?? directives.get("script-src") ?? directives.get("default-src");
  if (scripts && !allowsInline(scripts)) {
    directives.set("script-src-elem", [...scripts.filter((source) => !is(source, "'none'")), scriptHash]);
  }
  return [...directives].map(([name, values]) => [name, ...values].join(" ")).join("; ");
}

/** @param {string[]} sources */
function allowsInline(sources) {
  const isOverruled = sources.some((source) => /^'(nonce-|sha\d{3}-|strict-dynamic')/i.test(source));
  return !isOverruled && sources.some((source) => is(source, "'unsafe-inline'"));
}

/**
 * A value of `X-Frame-Options` that allows frames of the same origin.
 *
 * @param {string} value
 */
export function adaptFrameOptions(value) {
  return value.replace(/\bdeny\b/gi, "SAMEORIGIN");
}

/**
 * @param {string} source
 * @param {string} keyword
 */
function is(source, keyword) {
  return source.toLowerCase() === keyword;
}
