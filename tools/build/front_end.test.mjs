import assert from "node:assert/strict";
import { test } from "node:test";
import { readParts, takeBegunModules } from "./front_end.mjs";

// As wasm_split_cli_support 0.2.4 writes it.
const fetcher = (module) => `() => {
    const src = fetch(new URL("./${module}.wasm", import.meta.url));
    src.catch(() => {});
    return async (imports) => (WebAssembly.instantiateStreaming(src, imports));
}
`;

test("a part consists of the modules that it shares and its own", () => {
  const loader = `
/* later, ride */
const __chunk_3 = makeLoad(${fetcher("chunk_3")}, []);
export const __wasm_split_load_ride = wrapAsyncCb(makeLoad(${fetcher("split_ride")}, [__chunk_3]));
export const __wasm_split_load_later = wrapAsyncCb(makeLoad(${fetcher("split_later")}, [__chunk_3]));
`;
  assert.deepEqual([...readParts(loader)], [["ride", ["chunk_3", "split_ride"]], ["later", ["chunk_3", "split_later"]]]);
});

test("a part without code of its own consists of what it shares", () => {
  const loader = `
const __chunk_3 = makeLoad(${fetcher("chunk_3")}, []);
export const __wasm_split_load_ride = wrapAsyncCb(makeLoad(() => async (_imp) => ({}), [__chunk_3]));
`;
  assert.deepEqual([...readParts(loader)], [["ride", ["chunk_3"]]]);
});

test("a loader in another form is refused", () => {
  assert.throws(() => readParts("export const load = 1;"), /not what wasm-split-cli used to write/);
});

test("a part that the page has begun to compile is not fetched again, and one that it has not is", async () => {
  const changed = takeBegunModules(fetcher("split_ride")).replaceAll("import.meta.url", '"https://ride.example/pkg/loader.js"');
  const begun = new Map([["https://ride.example/pkg/split_ride.wasm", "begun"]]);
  const fetched = [];
  const names = {
    window: {
      takeBegunModule(address) {
        const module = begun.get(address);
        begun.delete(address);
        return module && Promise.resolve(module);
      },
    },
    WebAssembly: { compileStreaming: async (response) => response, instantiate: async (module) => module },
    fetch: async (url) => (fetched.push(url.href), "fetched"),
  };
  const load = new Function(...Object.keys(names), `return ${changed}`)(...Object.values(names));
  assert.equal(await load()({}), "begun");
  assert.deepEqual(fetched, []);
  assert.equal(await load()({}), "fetched");
  assert.deepEqual(fetched, ["https://ride.example/pkg/split_ride.wasm"]);
});

test("a loader that fetches in another form is refused", () => {
  assert.throws(() => takeBegunModules("const src = await fetch(url);"), /not what wasm-split-cli used to write/);
});
