// Page that explains why a request got no answer of the site.

const style = "body{background:#0e1013;color:#f5f1e6;font:400 106.25%/1.45 system-ui,sans-serif;max-width:34rem;"
  + "margin:12vh auto;padding:0 1rem}p{color:#b9bec6}a{color:#ffd500}button{font:inherit;min-height:48px;padding:0 1.25rem;"
  + "border:0;border-radius:.375rem;background:#ffd500;color:#14120a;font-weight:700}";

/**
 * @param {number} status
 * @param {string} text
 */
export function errorPage(status, text) {
  const title = status === 504 ? "The page is too slow" : "The page cannot be shown";
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">`
    + `<title>${title}</title><style>${style}</style><h1>${title}</h1><p>${text}</p><p>Error ${status}</p>`
    + `<button onclick="location.reload()">Try again</button></html>`;
}
