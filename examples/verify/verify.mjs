// Verifies that a key belongs to the project and has the scopes. Without a decision within 1 second, the key is denied.
// KEYWARD_URL=… KEYWARD_PROJECT=… KEYWARD_KEY=… node verify.mjs data:read

const { KEYWARD_URL, KEYWARD_PROJECT = "", KEYWARD_KEY } = process.env;

async function verify(key, scopes) {
  try {
    const response = await fetch(new URL("/v1/keys/verify", KEYWARD_URL), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key, project: KEYWARD_PROJECT, scopes }),
      redirect: "error", // do not send the key to another address
      signal: AbortSignal.timeout(1000), // milliseconds, for the complete response
    });
    if (response.status !== 200) throw new Error(`the response has status ${response.status}`);
    const decision = await response.json();
    if (typeof decision?.valid !== "boolean") throw new Error("the response is not a decision");
    return decision;
  } catch (error) {
    return { valid: false, code: "unavailable", message: `Keyward did not return a decision: ${error.message}` };
  }
}

const decision = await verify(KEYWARD_KEY, process.argv.slice(2));
console.log(JSON.stringify(decision));
process.exitCode = decision.valid ? 0 : 1;
