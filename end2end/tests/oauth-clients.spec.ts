import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import * as oauth from 'oauth4webapi';
import type { Created, Keyward } from '../support/keyward';
import { Program, register } from '../support/program';
import { expect, test } from '../support/test';

// Programs that other people wrote (npm's oauth4webapi and jose), as they are, against the running server.

/** The server has no TLS of its own; everything else is checked as it would be. */
const plain = { [oauth.allowInsecureRequests]: true };

/** What discovery says of the server (RFC 8414). */
async function discover(keyward: Keyward): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(keyward.url);
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plain });
  return oauth.processDiscoveryResponse(issuer, response);
}

/** A key, as a client. */
const clientOf = (key: Created): oauth.Client => ({ client_id: `key:${key.key_id}` });

/** A token of a key (RFC 6749 section 4.4). */
async function credentials(as: oauth.AuthorizationServer, key: Created, more: Record<string, string> = {}, by = oauth.ClientSecretBasic) {
  const client = clientOf(key);
  const response = await oauth.clientCredentialsGrantRequest(as, client, by(key.secret), more, plain);
  return oauth.processClientCredentialsResponse(as, client, response);
}

/** Whether the token is active, and what is said of it (RFC 7662). */
async function introspect(as: oauth.AuthorizationServer, key: Created, token: string) {
  const client = clientOf(key);
  const response = await oauth.introspectionRequest(as, client, oauth.ClientSecretPost(key.secret), token, plain);
  return oauth.processIntrospectionResponse(as, client, response);
}

/** Checks a token without asking about it: jose alone, with the published keys. */
async function offline(as: oauth.AuthorizationServer, token: string, audience: string) {
  const keys = createRemoteJWKSet(new URL(as.jwks_uri ?? ''));
  return jwtVerify(token, keys, { issuer: as.issuer, audience, typ: 'at+jwt', algorithms: ['EdDSA'], requiredClaims: ['exp', 'jti', 'sub'] });
}

/** The list of what was revoked, checked likewise. */
async function revoked(as: oauth.AuthorizationServer): Promise<{ tokens: string[]; before: Record<string, number> }> {
  const response = await fetch(as.keyward_revoked_tokens_uri as string);
  expect(response.headers.get('content-type')).toBe('application/jwt');
  const keys = createRemoteJWKSet(new URL(as.jwks_uri ?? ''));
  const { payload } = await jwtVerify(await response.text(), keys, { issuer: as.issuer, typ: 'keyward-revoked+jwt', algorithms: ['EdDSA'], requiredClaims: ['exp'] });
  return payload as any;
}

/** The error that the server answered with. */
const errorOf = (answer: Promise<unknown>) => answer.then(() => 'none', (it: any) => (it instanceof oauth.WWWAuthenticateChallengeError ? it.cause[0].scheme : it.error ?? it));

test.describe('without a browser', { tag: '@plain' }, () => {
  test('discovery, client credentials, introspection, revocation', async ({ keyward }) => {
    const as = await discover(keyward);
    expect(as).toMatchObject({ issuer: keyward.url, authorization_response_iss_parameter_supported: true, code_challenge_methods_supported: ['S256'] });
    const key = await keyward.createKey('Ferry', '--scope', 'data:read', '--scope', 'usage:read');
    const audience = `${keyward.url}/projects/${key.project_id}`;

    for (const by of [oauth.ClientSecretBasic, oauth.ClientSecretPost]) {
      const all = await credentials(as, key, {}, by);
      expect(all).toMatchObject({ token_type: 'bearer', expires_in: 3600 });
      expect(all.scope?.split(' ').sort()).toEqual(['data:read', 'usage:read']);
      const less = await credentials(as, key, { scope: 'data:read', resource: audience, expires_in: '60' }, by);
      expect(less).toMatchObject({ scope: 'data:read', expires_in: 60 });
    }
    expect(await errorOf(credentials(as, key, { scope: 'data:write' }))).toBe('invalid_scope');
    expect(await errorOf(credentials(as, { ...key, secret: `${key.secret.slice(0, -1)}?` }))).toBe('basic');

    const { access_token } = await credentials(as, key, { scope: 'data:read' });
    const said = await introspect(as, key, access_token);
    expect(said).toMatchObject({ active: true, scope: 'data:read', client_id: `key:${key.key_id}`, sub: `key:${key.key_id}`, aud: audience, iss: keyward.url });

    // The library's own check of what a resource server is sent (RFC 9068).
    const request = new Request(`${keyward.url}/anything`, { headers: { authorization: `Bearer ${access_token}` } });
    const claims = await oauth.validateJwtAccessToken(as, request, audience, plain);
    expect(claims.jti).toBe(said.jti);

    const response = await oauth.revocationRequest(as, clientOf(key), oauth.ClientSecretBasic(key.secret), access_token, plain);
    await oauth.processRevocationResponse(response);
    expect(await introspect(as, key, access_token)).toEqual({ active: false });
    await expect.poll(async () => (await revoked(as)).tokens).toContain(said.jti);
  });

  test('a token is checked offline, and the list of what was revoked beside it', async ({ keyward }) => {
    const as = await discover(keyward);
    const key = await keyward.createKey('Ferry', '--scope', 'data:read');
    const audience = `${keyward.url}/projects/${key.project_id}`;
    const { access_token } = await credentials(as, key);
    const { payload, protectedHeader } = await offline(as, access_token, audience);
    expect(protectedHeader).toMatchObject({ typ: 'at+jwt', alg: 'EdDSA' });
    expect(payload).toMatchObject({ sub: `key:${key.key_id}`, client_id: `key:${key.key_id}`, scope: 'data:read' });
    await expect(offline(as, access_token, `${keyward.url}/v1`)).rejects.toThrow(/"aud"/);
    await expect(offline({ ...as, issuer: 'https://evil.example' }, access_token, audience)).rejects.toThrow(/"iss"/);
    const [head, body, signature] = access_token.split('.');
    const other = Buffer.from(JSON.stringify({ ...payload, scope: 'data:read data:write' })).toString('base64url');
    await expect(offline(as, [head, other, signature].join('.'), audience)).rejects.toThrow(/signature/);

    // The list is signed by the same keys, and is no token for all that; nor is a token a list.
    const list = await (await fetch(as.keyward_revoked_tokens_uri as string)).text();
    await expect(offline(as, list, audience)).rejects.toThrow(/"typ"/);
    const keys = createRemoteJWKSet(new URL(as.jwks_uri ?? ''));
    await expect(jwtVerify(access_token, keys, { typ: 'keyward-revoked+jwt' })).rejects.toThrow(/"typ"/);
    expect(body).not.toBe(other);

    // Deactivated at the command line, beside the server: whoever checks offline learns of it by the list alone.
    expect((await revoked(as)).before).toEqual({});
    await keyward.run(['keys', 'deactivate', key.key_id]);
    await expect.poll(async () => (await revoked(as)).before[`key:${key.key_id}`] ?? 0, { timeout: 10_000 }).toBeGreaterThan(payload.iat ?? 0);
    await offline(as, access_token, audience);

    const first = await fetch(as.keyward_revoked_tokens_uri as string);
    const again = await fetch(as.keyward_revoked_tokens_uri as string, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } });
    expect(again.status).toBe(304);
  });

  test('another key signs: published first, then used, while the old one still counts', async ({ keyward }) => {
    const as = await discover(keyward);
    const key = await keyward.createKey('Ferry');
    const audience = `${keyward.url}/projects/${key.project_id}`;
    const before = (await credentials(as, key)).access_token;
    const old = decodeProtectedHeader(before).kid;
    const published = async (): Promise<string[]> => (await (await fetch(as.jwks_uri ?? '')).json()).keys.map((it: any) => it.kid);
    expect(await published()).toEqual([old]);

    expect(await keyward.run(['admin', 'rotate-token-key'])).toContain('Published the signing key');
    await expect.poll(published).toHaveLength(2);
    expect(await published()).toContain(old);
    // A quarter of an hour lies between: whoever has kept the keys must have fetched them anew.
    expect(decodeProtectedHeader((await credentials(as, key)).access_token).kid).toBe(old);
    await expect(keyward.run(['admin', 'rotate-token-key'])).rejects.toThrow(/already published/);

    // The quarter of an hour passes: past the service, while the server rests.
    await keyward.stop();
    const database = path.join(keyward.folder, 'keyward.db');
    const past = 'UPDATE signing_keys SET signs_from = created_at WHERE signs_from > created_at';
    await promisify(execFile)('sqlite3', ['-cmd', '.timeout 10000', database, past]);
    await keyward.start();

    const after = (await credentials(as, key)).access_token;
    const kid = decodeProtectedHeader(after).kid;
    expect(kid).not.toBe(old);
    expect((await published()).sort()).toEqual([old, kid].sort());
    for (const token of [before, after]) {
      expect((await offline(as, token, audience)).payload.sub).toBe(`key:${key.key_id}`);
      expect(await introspect(as, key, token)).toMatchObject({ active: true });
    }
  });
});

test('authorization code with PKCE, through the browser', async ({ page, site, keyward }) => {
  const as = await discover(keyward);
  await site.addSession();
  const program = await Program.open();
  const client: oauth.Client = { client_id: await register(site, 'Buoy Watch', program.redirect) };
  const key = await keyward.createKey('Ferry');
  const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];

  const asked = new URL(as.authorization_endpoint ?? '');
  asked.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: program.redirect,
    scope: 'data:read',
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }).toString();
  await page.goto(asked.href);
  await page.getByRole('button', { name: 'Allow' }).click();
  await expect(page.getByRole('heading', { name: 'Buoy Watch goes on' })).toBeVisible();

  // It checks `state` and, as the metadata promises it, `iss` (RFC 9207).
  const parameters = oauth.validateAuthResponse(as, client, await program.heard(), state);
  const redirect = program.redirect;
  program.close();
  const redeem = async () => {
    const response = await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), parameters, redirect, verifier, plain);
    return oauth.processAuthorizationCodeResponse(as, client, response);
  };
  const token = await redeem();
  expect(token).toMatchObject({ token_type: 'bearer', scope: 'data:read', expires_in: 3600 });
  expect(token).not.toHaveProperty('refresh_token');
  const audience = `${keyward.url}/projects/${key.project_id}`;
  const { payload } = await offline(as, token.access_token, audience);
  expect(payload).toMatchObject({ client_id: client.client_id, sub: expect.stringMatching(/^user:/), grant_id: expect.any(String) });
  expect(await introspect(as, key, token.access_token)).toMatchObject({ active: true, client_id: client.client_id });

  // The code a second time: refused, and what it was for is over (RFC 6749 section 10.5).
  expect(await errorOf(redeem())).toBe('invalid_grant');
  expect(await introspect(as, key, token.access_token)).toEqual({ active: false });
  await expect.poll(async () => (await revoked(as)).before[`grant:${payload.grant_id}`] ?? 0).toBeGreaterThan(payload.iat ?? 0);
});

test('device grant, and revocation by a client without a secret', async ({ page, site, keyward }) => {
  const as = await discover(keyward);
  await site.addSession();
  const client: oauth.Client = { client_id: await register(site, 'Buoy Watch', 'https://buoywatch.example/done') };
  const key = await keyward.createKey('Ferry');
  const begun = await oauth.processDeviceAuthorizationResponse(as, client, await oauth.deviceAuthorizationRequest(as, client, oauth.None(), { scope: 'data:read' }, plain));
  const poll = async () => {
    const response = await oauth.deviceCodeGrantRequest(as, client, oauth.None(), begun.device_code, plain);
    return oauth.processDeviceCodeResponse(as, client, response);
  };
  expect(await errorOf(poll())).toBe('authorization_pending');

  await page.goto(begun.verification_uri);
  await site.ready();
  await page.getByLabel('Code').fill(begun.user_code);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Allow' }).click();
  await expect(page.getByRole('heading', { name: 'Access allowed' })).toBeVisible();
  const token = await poll();
  expect(token).toMatchObject({ token_type: 'bearer', scope: 'data:read' });
  expect(await introspect(as, key, token.access_token)).toMatchObject({ active: true });

  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, oauth.None(), token.access_token, plain));
  expect(await introspect(as, key, token.access_token)).toEqual({ active: false });
  expect(await errorOf(poll())).toBe('invalid_grant');
});
