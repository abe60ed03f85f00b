// Keyward in the browser: asks a person for a temporary token, and reads a project's config with it. Types: ./v1.d.ts
// The issuer is the origin that this file was loaded from; the program is the one registered for the page's own origin.

const issuer = new URL(import.meta.url).origin;

export class KeywardError extends Error {
  name = "KeywardError";

  constructor(code, message, status) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/[+/=]/g, (c) => ({ "+": "-", "/": "_" })[c] ?? "");

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

async function call(path, request) {
  let response, body;
  try {
    response = await fetch(issuer + path, { ...request, credentials: "omit", cache: "no-store", redirect: "error" });
    body = await response.json();
  } catch {
    throw new KeywardError("unavailable", "Keyward gave no answer that can be read.", response?.status);
  }
  if (response.ok) return body;
  // Problem documents (RFC 9457) have a code, errors of OAuth (RFC 6749) always `error`.
  const code = body?.code ?? body?.error ?? "unavailable";
  throw new KeywardError(code, body?.detail ?? body?.error_description, response.status);
}

// The code that the consent window tells. Any window can send a message: only the issuer's with our state counts.
const told = (popup, state, timeout) =>
  new Promise((resolve, reject) => {
    const fail = (code, message) => end(() => reject(new KeywardError(code, message)));
    const end = (settle) => {
      removeEventListener("message", hear);
      clearInterval(looks);
      clearTimeout(late);
      settle();
    };
    const hear = ({ origin, data }) => {
      if (origin !== issuer || data?.state !== state) return;
      if (data.iss !== issuer) fail("wrong_issuer", "The answer names another issuer (RFC 9207).");
      else if (data.error) fail(data.error, data.error_description);
      else end(() => resolve(data.code));
    };
    let gone = 0;
    addEventListener("message", hear);
    // The window tells and closes at once: what it told may arrive after it is gone.
    const looks = setInterval(() => {
      if (popup.closed && gone++) fail("window_closed", "The window was closed without an answer.");
    }, 250);
    const late = setTimeout(() => fail("timeout", "Nobody answered in time."), timeout);
  });

export async function requestToken(projectId, { scope = "", expiresIn = "", timeout = 600_000 } = {}) {
  if (!globalThis.isSecureContext) {
    throw new KeywardError("insecure_context", "PKCE needs WebCrypto: serve the page by https, or from localhost.");
  }
  // Empty, and at once, while the click that led here still counts: its address takes a moment to make.
  const popup = open("", "_blank", "popup,width=480,height=720");
  if (!popup) throw new KeywardError("popup_blocked", "The browser did not open the window. Ask from within a click.");
  try {
    const [state, code_verifier] = [random(), random()];
    const common = { client_id: "origin", redirect_uri: location.origin, resource: `${issuer}/projects/${projectId}` };
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code_verifier));
    const asked = new URLSearchParams({
      ...common,
      response_type: "code",
      response_mode: "web_message",
      scope,
      state,
      code_challenge: base64url(digest),
      code_challenge_method: "S256",
    });
    popup.location.replace(`${issuer}/authorize?${asked}`);
    const code = await told(popup, state, timeout);
    const form = { ...common, grant_type: "authorization_code", code, code_verifier, expires_in: expiresIn };
    return await call("/oauth/token", { method: "POST", body: new URLSearchParams(form) });
  } finally {
    popup.close();
  }
}

export async function fetchPopConfig(projectId, token, options) {
  const bearer = token || (await requestToken(projectId, options)).access_token;
  const path = `/pops/${encodeURIComponent(projectId)}/config?auto_start=false`;
  return call(path, { headers: { authorization: `Bearer ${bearer}` } });
}

export { fetchPopConfig as FetchPopConfig };
