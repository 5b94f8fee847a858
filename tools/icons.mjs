// Draws the icons in public/ that are pixels, from public/icon.svg. Run it after a
// change of that file, and commit the results:
//
//   node tools/icons.mjs        needs rsvg-convert (Debian: librsvg2-bin)

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const folder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "public");
const icon = fs.readFileSync(path.join(folder, "icon.svg"), "utf8");

// Systems that cut icons into a shape of their own want a square without corners.
// A maskable icon may lose everything outside the middle 80 % (W3C, Web App
// Manifest, "Icon masks").
const [background, ...drawing] = /<svg[^>]*>\s*([^]*)<\/svg>/.exec(icon)[1].trim().split("\n");
const square = (scale) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
${background.replace(/ rx="\d+"/, "")}
<g transform="translate(32 32) scale(${scale}) translate(-32 -32)">${drawing.join("\n")}</g>
</svg>`;

write("icon-192.png", png(icon, 192));
write("icon-512.png", png(icon, 512));
write("icon-maskable-512.png", png(square(0.72), 512));
write("apple-touch-icon.png", png(square(0.86), 180));
write("favicon.ico", ico(png(icon, 32), 32));

function png(svg, size) {
  const { status, stdout, stderr, error } = spawnSync("rsvg-convert", ["--width", size, "--height", size], { input: svg });
  if (error || status !== 0) throw new Error(`rsvg-convert: ${error?.message ?? stderr}`);
  return stdout;
}

/** An ICO file with one PNG image. */
function ico(image, size) {
  const header = Buffer.alloc(22);
  header.writeUInt16LE(1, 2); // a file of icons,
  header.writeUInt16LE(1, 4); // of which there is one:
  header.writeUInt8(size, 6);
  header.writeUInt8(size, 7);
  header.writeUInt16LE(1, 10); // colour planes
  header.writeUInt16LE(32, 12); // bits per pixel
  header.writeUInt32LE(image.length, 14);
  header.writeUInt32LE(header.length, 18);
  return Buffer.concat([header, image]);
}

function write(name, content) {
  fs.writeFileSync(path.join(folder, name), content);
  console.log(`${name}: ${content.length} bytes`);
}
