// Compression of the site's files.

import zlib from "node:zlib";

/** Brotli of the highest quality, 11. */
export function brotli(content) {
  return zlib.brotliCompressSync(content, { params: { [zlib.constants.BROTLI_PARAM_SIZE_HINT]: content.length } });
}
