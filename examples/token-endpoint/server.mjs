// A server of one's own that hands its users temporary tokens of Keyward. The key stays here; a token is good for a day.
// KEYWARD_URL=… KEYWARD_PROJECT=… KEYWARD_KEY=… APP_PASSWORD=… node server.mjs

import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const need = (name) => process.env[name] || (console.error(`Set ${name}.`), process.exit(1));
const [KEYWARD_URL, PROJECT, KEY, PASSWORD] = ["KEYWARD_URL", "KEYWARD_PROJECT", "KEYWARD_KEY", "APP_PASSWORD"].map(need);
const [HOST, PORT] = (process.env.APP_LISTEN || "127.0.0.1:8080").split(":");
const DAY = 86_400; // seconds

const html = readFileSync(new URL("page.html", import.meta.url), "utf8");
const page = html.replaceAll("{keyward}", new URL(KEYWARD_URL).origin).replaceAll("{project}", encodeURIComponent(PROJECT));

const digest = (text) => createHash("sha256").update(text).digest();

// Who asks; undefined: nobody knows. Put your own sessions here: this one has a single user, by HTTP Basic.
function user(request) {
  const [scheme, encoded = ""] = (request.headers.authorization ?? "").split(" ");
  if (scheme.toLowerCase() !== "basic") return undefined;
  const [, name, password] = Buffer.from(encoded, "base64").toString().match(/^([^:]+):(.*)$/s) ?? [];
  return name && timingSafeEqual(digest(password), digest(PASSWORD)) ? name : undefined;
}

// A token for a day, or an error: never anything else that was answered.
async function temporaryToken() {
  const response = await fetch(new URL("/authentication/token", KEYWARD_URL), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ secret_key: KEY, expires_in: DAY }),
    redirect: "error", // the key goes to no other address
    signal: AbortSignal.timeout(3000), // milliseconds, until the last byte
  });
  const { access_token, expires_in, code } = await response.json();
  if (response.status !== 200) throw new Error(`Keyward answered ${response.status} ${code}`);
  if (typeof access_token !== "string" || typeof expires_in !== "number") throw new Error("Keyward's answer is no token");
  return { access_token, expires_in };
}

const json = (response, status, body, headers = {}) =>
  response
    .writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...headers })
    .end(JSON.stringify(body));

const server = createServer(async (request, response) => {
  const asked = `${request.method} ${request.url}`;
  if (asked !== "GET /" && asked !== "POST /api/eyepop/auth") return json(response, 404, { error: "not_found" });
  // One challenge for both: a browser asks for name and password on the page.
  const challenge = { "www-authenticate": 'Basic realm="Pelagic", charset="UTF-8"' };
  if (!user(request)) return json(response, 401, { error: "unauthorized" }, challenge);
  if (asked === "GET /") return response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
  try {
    json(response, 200, await temporaryToken());
  } catch (error) {
    console.error(`no token: ${error.message}`);
    json(response, 502, { error: "unavailable" });
  }
});
server.listen(Number(PORT), HOST, () => console.log(`answers at http://${HOST}:${server.address().port}`));
