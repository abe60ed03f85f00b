// Merges several folders into the folder of the site: node .ci/site.mjs OUT FROM...
// Writes only files that differ, so that the server, which embeds OUT, is rebuilt only if necessary. Removes files that are in no FROM.
// Compressible files are written three times: uncompressed, `.br`, and `.gz`.
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const COMPRESSES = new Set([".css", ".js", ".svg", ".txt", ".wasm"]);

const files = (folder) =>
  readdirSync(folder, { recursive: true }).filter((name) => statSync(join(folder, name)).isFile());
const read = (path) => {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
};
const brotli = (bytes) =>
  brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
const gzip = (bytes) => gzipSync(bytes, { level: 9 });

const [out, ...from] = process.argv.slice(2);
const keep = new Set();
const report = [];

for (const folder of from) {
  for (const name of files(folder)) {
    const path = join(out, name);
    const bytes = readFileSync(join(folder, name));
    const forms = [["", () => bytes]];
    if (COMPRESSES.has(extname(name))) forms.push([".br", () => brotli(bytes)], [".gz", () => gzip(bytes)]);
    for (const [suffix] of forms) keep.add(name + suffix);

    const stored = read(path);
    const whole = stored?.equals(bytes) && forms.every(([suffix]) => statSync(path + suffix, { throwIfNoEntry: false }));
    if (whole) continue;
    // The plain file is written last: after an interruption, it still differs in the next run.
    mkdirSync(dirname(path), { recursive: true });
    const sizes = forms.toReversed().map(([suffix, make]) => {
      const made = make();
      writeFileSync(path + suffix, made);
      return `${suffix || "uncompressed"} ${made.length}`;
    });
    report.push(`    ${name}: ${sizes.toReversed().join(", ")} bytes`);
  }
}

mkdirSync(out, { recursive: true });
for (const name of files(out)) {
  if (keep.has(name)) continue;
  rmSync(join(out, name));
  report.push(`    ${name}: removed`);
}
if (report.length) console.log(report.join("\n"));
