// Reduces the font of the site: node .ci/font.mjs IN OUT
// Keeps only what the pages use: Latin-1 and typographic marks, weights from 400 to 600, kerning, and tabular figures. Other scripts use
// the fonts of the user's system.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import subsetFont from "subset-font";

const [from, to] = process.argv.slice(2);
const range = (first, last) => String.fromCodePoint(...Array.from({ length: last - first + 1 }, (_, i) => first + i));
const text = range(0x20, 0x7e) + range(0xa0, 0xff) + "ıŒœ‐‑–—‘’‚“”„•…‹›€™−";
const font = await subsetFont(readFileSync(from), text, {
  targetFormat: "woff2",
  variationAxes: { wght: { min: 400, max: 600 } },
  keepFeatures: ["ccmp", "kern", "locl", "mark", "tnum"],
  noHinting: true,
});
mkdirSync(dirname(to), { recursive: true });
writeFileSync(to, font);
