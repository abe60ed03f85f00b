// Keyward browser SDK: asks the user for a temporary token and reads a project's config with it. Types: ./v1.d.ts
// The issuer is the origin of this file. The client is the application that is registered for the page's origin.

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
    throw new KeywardError("unavailable", "Keyward did not respond, or the response could not be read.", response?.status);
  }
  if (response.ok) return body;
  // Problem documents (RFC 9457) have a code, errors of OAuth (RFC 6749) always `error`.
  const code = body?.code ?? body?.error ?? "unavailable";
  throw new KeywardError(code, body?.detail ?? body?.error_description, response.status);
}

// Waits for the authorization code from the consent window. Any window can send a message, so the origin and the state
// are checked.
const receiveCode = (popup, state, timeout) =>
  new Promise((resolve, reject) => {
    const fail = (code, message) => end(() => reject(new KeywardError(code, message)));
    const end = (settle) => {
      removeEventListener("message", onMessage);
      clearInterval(closedCheck);
      clearTimeout(timer);
      settle();
    };
    const onMessage = ({ origin, data }) => {
      if (origin !== issuer || data?.state !== state) return;
      if (data.iss !== issuer) fail("wrong_issuer", "The response is from another issuer (RFC 9207).");
      else if (data.error) fail(data.error, data.error_description);
      else end(() => resolve(data.code));
    };
    let gone = 0;
    addEventListener("message", onMessage);
    // The window sends the message and closes immediately. The message can arrive after the window is closed.
    const closedCheck = setInterval(() => {
      if (popup.closed && gone++) fail("window_closed", "The window was closed without a response.");
    }, 250);
    const timer = setTimeout(() => fail("timeout", "The user did not respond in time."), timeout);
  });

export async function requestToken(projectId, { scope = "", expiresIn = "", timeout = 600_000 } = {}) {
  if (!globalThis.isSecureContext) {
    throw new KeywardError("insecure_context", "PKCE needs WebCrypto. Serve the page over https or from localhost.");
  }
  // Opened immediately and empty, while the user activation is valid: computing the URL takes a moment.
  const popup = open("", "_blank", "popup,width=480,height=720");
  if (!popup) throw new KeywardError("popup_blocked", "The browser blocked the window. Call this function in a click handler.");
  try {
    const [state, code_verifier] = [random(), random()];
    const common = { client_id: "origin", redirect_uri: location.origin, resource: `${issuer}/projects/${projectId}` };
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code_verifier));
    const parameters = new URLSearchParams({
      ...common,
      response_type: "code",
      response_mode: "web_message",
      scope,
      state,
      code_challenge: base64url(digest),
      code_challenge_method: "S256",
    });
    popup.location.replace(`${issuer}/authorize?${parameters}`);
    const code = await receiveCode(popup, state, timeout);
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
