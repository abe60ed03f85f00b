// Asks Keyward whether a key is good, of one's own project and with these scopes. What is no clear yes within a second is a no.
// KEYWARD_URL=… KEYWARD_PROJECT=… KEYWARD_KEY=… node verify.mjs data:read

const { KEYWARD_URL, KEYWARD_PROJECT = "", KEYWARD_KEY } = process.env;

async function verify(key, scopes) {
  try {
    const response = await fetch(new URL("/v1/keys/verify", KEYWARD_URL), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key, project: KEYWARD_PROJECT, scopes }),
      redirect: "error", // the key goes to no other address
      signal: AbortSignal.timeout(1000), // milliseconds, until the last byte
    });
    if (response.status !== 200) throw new Error(`it answered ${response.status}`);
    const decision = await response.json();
    if (typeof decision?.valid !== "boolean") throw new Error("its answer is no decision");
    return decision;
  } catch (error) {
    return { valid: false, code: "unavailable", message: `Keyward could not be asked: ${error.message}` };
  }
}

const decision = await verify(KEYWARD_KEY, process.argv.slice(2));
console.log(JSON.stringify(decision));
process.exitCode = decision.valid ? 0 : 1;
