// The style sheet, and what styles and scripts are written down for.

import * as esbuild from "esbuild";

// The browsers that can hydrate the page at all.
export const browsers = ["chrome111", "firefox114", "safari16.4"];

// `url(/icon.svg)` is the site's own and stays as it is.
const sitePaths = {
  name: "site-paths",
  setup(build) {
    build.onResolve({ filter: /^\// }, ({ kind, path }) => kind === "url-token" ? { path, external: true } : undefined);
  },
};

/** The style sheet with its imports, minified. */
export async function buildStyle({ leptos }) {
  const result = await esbuild.build({
    entryPoints: [leptos["style-file"]],
    bundle: true, minify: true, write: false, target: browsers, plugins: [sitePaths], logLevel: "warning",
  });
  return result.outputFiles[0].text;
}

/** A script, minified. */
export async function minify(script) {
  const { code } = await esbuild.transform(script, { format: "esm", minify: true, target: browsers });
  return code;
}
