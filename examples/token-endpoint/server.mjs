// Example server that issues temporary Keyward tokens to its own users. The key stays on this server; a token is valid for 1 day.
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

// Returns the name of the authenticated user, or undefined. Replace this with your own sessions: the example has a single
// password, checked with HTTP Basic authentication.
function user(request) {
  const [scheme, encoded = ""] = (request.headers.authorization ?? "").split(" ");
  if (scheme.toLowerCase() !== "basic") return undefined;
  const [, name, password] = Buffer.from(encoded, "base64").toString().match(/^([^:]+):(.*)$/s) ?? [];
  return name && timingSafeEqual(digest(password), digest(PASSWORD)) ? name : undefined;
}

// Requests a token that is valid for 1 day. Any response except a complete token is an error.
async function temporaryToken() {
  const response = await fetch(new URL("/authentication/token", KEYWARD_URL), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ secret_key: KEY, expires_in: DAY }),
    redirect: "error", // do not send the key to another address
    signal: AbortSignal.timeout(3000), // milliseconds, for the complete response
  });
  const { access_token, expires_in, code } = await response.json();
  if (response.status !== 200) throw new Error(`Keyward responded with ${response.status} ${code}`);
  if (typeof access_token !== "string" || typeof expires_in !== "number") throw new Error("the response of Keyward contains no token");
  return { access_token, expires_in };
}

const json = (response, status, body, headers = {}) =>
  response
    .writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...headers })
    .end(JSON.stringify(body));

const server = createServer(async (request, response) => {
  const route = `${request.method} ${request.url}`;
  if (route !== "GET /" && route !== "POST /api/eyepop/auth") return json(response, 404, { error: "not_found" });
  // Both paths have a Basic challenge: on the page, the browser prompts for a name and a password.
  const challenge = { "www-authenticate": 'Basic realm="Pelagic", charset="UTF-8"' };
  if (!user(request)) return json(response, 401, { error: "unauthorized" }, challenge);
  if (route === "GET /") return response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
  try {
    json(response, 200, await temporaryToken());
  } catch (error) {
    console.error(`token request failed: ${error.message}`);
    json(response, 502, { error: "unavailable" });
  }
});
server.listen(Number(PORT), HOST, () => console.log(`listening at http://${HOST}:${server.address().port}`));
