import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import * as oauth from 'oauth4webapi';
import type { CreatedKey, Keyward } from '../support/keyward';
import { ClientApp, registerApplication } from '../support/client-app';
import { expect, test } from '../support/test';

// Independent OAuth clients (npm's oauth4webapi and jose), unmodified, against the running server.

/** Allows HTTP, because the server has no TLS. All other checks stay on. */
const insecure = { [oauth.allowInsecureRequests]: true };

/** Fetches the server metadata (RFC 8414). */
async function discover(keyward: Keyward): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(keyward.url);
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
  return oauth.processDiscoveryResponse(issuer, response);
}

/** A key as an OAuth client. */
const clientOf = (key: CreatedKey): oauth.Client => ({ client_id: `key:${key.key_id}` });

/** Requests a token for a key (RFC 6749 section 4.4). */
async function requestToken(as: oauth.AuthorizationServer, key: CreatedKey, more: Record<string, string> = {}, by = oauth.ClientSecretBasic) {
  const client = clientOf(key);
  const response = await oauth.clientCredentialsGrantRequest(as, client, by(key.secret), more, insecure);
  return oauth.processClientCredentialsResponse(as, client, response);
}

/** Introspects a token (RFC 7662). */
async function introspect(as: oauth.AuthorizationServer, key: CreatedKey, token: string) {
  const client = clientOf(key);
  const response = await oauth.introspectionRequest(as, client, oauth.ClientSecretPost(key.secret), token, insecure);
  return oauth.processIntrospectionResponse(as, client, response);
}

/** Verifies a token offline with jose and the published keys. */
async function verifyOffline(as: oauth.AuthorizationServer, token: string, audience: string) {
  const keys = createRemoteJWKSet(new URL(as.jwks_uri ?? ''));
  return jwtVerify(token, keys, { issuer: as.issuer, audience, typ: 'at+jwt', algorithms: ['EdDSA'], requiredClaims: ['exp', 'jti', 'sub'] });
}

/** Fetches and verifies the list of revoked tokens. */
async function fetchRevocationList(as: oauth.AuthorizationServer): Promise<{ tokens: string[]; before: Record<string, number> }> {
  const response = await fetch(as.keyward_revoked_tokens_uri as string);
  expect(response.headers.get('content-type')).toBe('application/jwt');
  const keys = createRemoteJWKSet(new URL(as.jwks_uri ?? ''));
  const { payload } = await jwtVerify(await response.text(), keys, { issuer: as.issuer, typ: 'keyward-revoked+jwt', algorithms: ['EdDSA'], requiredClaims: ['exp'] });
  return payload as any;
}

/** The error of the response. */
const errorOf = (answer: Promise<unknown>) => answer.then(() => 'none', (it: any) => (it instanceof oauth.WWWAuthenticateChallengeError ? it.cause[0].scheme : it.error ?? it));

test.describe('without a browser', { tag: '@plain' }, () => {
  test('discovery, client credentials, introspection, revocation', async ({ keyward }) => {
    const as = await discover(keyward);
    expect(as).toMatchObject({ issuer: keyward.url, authorization_response_iss_parameter_supported: true, code_challenge_methods_supported: ['S256'] });
    const key = await keyward.createKey('Ferry', '--scope', 'data:read', '--scope', 'usage:read');
    const audience = `${keyward.url}/projects/${key.project_id}`;

    for (const by of [oauth.ClientSecretBasic, oauth.ClientSecretPost]) {
      const all = await requestToken(as, key, {}, by);
      expect(all).toMatchObject({ token_type: 'bearer', expires_in: 3600 });
      expect(all.scope?.split(' ').sort()).toEqual(['data:read', 'usage:read']);
      const less = await requestToken(as, key, { scope: 'data:read', resource: audience, expires_in: '60' }, by);
      expect(less).toMatchObject({ scope: 'data:read', expires_in: 60 });
    }
    expect(await errorOf(requestToken(as, key, { scope: 'data:write' }))).toBe('invalid_scope');
    expect(await errorOf(requestToken(as, { ...key, secret: `${key.secret.slice(0, -1)}?` }))).toBe('basic');

    const { access_token } = await requestToken(as, key, { scope: 'data:read' });
    const introspection = await introspect(as, key, access_token);
    expect(introspection).toMatchObject({ active: true, scope: 'data:read', client_id: `key:${key.key_id}`, sub: `key:${key.key_id}`, aud: audience, iss: keyward.url });

    // The library validates the token as a resource server (RFC 9068).
    const request = new Request(`${keyward.url}/anything`, { headers: { authorization: `Bearer ${access_token}` } });
    const claims = await oauth.validateJwtAccessToken(as, request, audience, insecure);
    expect(claims.jti).toBe(introspection.jti);

    const response = await oauth.revocationRequest(as, clientOf(key), oauth.ClientSecretBasic(key.secret), access_token, insecure);
    await oauth.processRevocationResponse(response);
    expect(await introspect(as, key, access_token)).toEqual({ active: false });
    await expect.poll(async () => (await fetchRevocationList(as)).tokens).toContain(introspection.jti);
  });

  test('a token is verified offline with the list of revoked tokens', async ({ keyward }) => {
    const as = await discover(keyward);
    const key = await keyward.createKey('Ferry', '--scope', 'data:read');
    const audience = `${keyward.url}/projects/${key.project_id}`;
    const { access_token } = await requestToken(as, key);
    const { payload, protectedHeader } = await verifyOffline(as, access_token, audience);
    expect(protectedHeader).toMatchObject({ typ: 'at+jwt', alg: 'EdDSA' });
    expect(payload).toMatchObject({ sub: `key:${key.key_id}`, client_id: `key:${key.key_id}`, scope: 'data:read' });
    await expect(verifyOffline(as, access_token, `${keyward.url}/v1`)).rejects.toThrow(/"aud"/);
    await expect(verifyOffline({ ...as, issuer: 'https://evil.example' }, access_token, audience)).rejects.toThrow(/"iss"/);
    const [head, body, signature] = access_token.split('.');
    const other = Buffer.from(JSON.stringify({ ...payload, scope: 'data:read data:write' })).toString('base64url');
    await expect(verifyOffline(as, [head, other, signature].join('.'), audience)).rejects.toThrow(/signature/);

    // The list is signed with the same keys, but is not accepted as a token, and a token not as a list.
    const list = await (await fetch(as.keyward_revoked_tokens_uri as string)).text();
    await expect(verifyOffline(as, list, audience)).rejects.toThrow(/"typ"/);
    const keys = createRemoteJWKSet(new URL(as.jwks_uri ?? ''));
    await expect(jwtVerify(access_token, keys, { typ: 'keyward-revoked+jwt' })).rejects.toThrow(/"typ"/);
    expect(body).not.toBe(other);

    // The command line deactivates the key: offline verification detects this only with the list.
    expect((await fetchRevocationList(as)).before).toEqual({});
    await keyward.run(['keys', 'deactivate', key.key_id]);
    await expect.poll(async () => (await fetchRevocationList(as)).before[`key:${key.key_id}`] ?? 0, { timeout: 10_000 }).toBeGreaterThan(payload.iat ?? 0);
    await verifyOffline(as, access_token, audience);

    const first = await fetch(as.keyward_revoked_tokens_uri as string);
    const again = await fetch(as.keyward_revoked_tokens_uri as string, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } });
    expect(again.status).toBe(304);
  });

  test('a signing key is rotated: published, then used, while the previous key stays valid', async ({ keyward }) => {
    const as = await discover(keyward);
    const key = await keyward.createKey('Ferry');
    const audience = `${keyward.url}/projects/${key.project_id}`;
    const before = (await requestToken(as, key)).access_token;
    const old = decodeProtectedHeader(before).kid;
    const published = async (): Promise<string[]> => (await (await fetch(as.jwks_uri ?? '')).json()).keys.map((it: any) => it.kid);
    expect(await published()).toEqual([old]);

    expect(await keyward.run(['admin', 'rotate-token-key'])).toContain('Published the signing key');
    await expect.poll(published).toHaveLength(2);
    expect(await published()).toContain(old);
    // The new key is used after 15 minutes, so that verifiers with cached keys have fetched it.
    expect(decodeProtectedHeader((await requestToken(as, key)).access_token).kid).toBe(old);
    await expect(keyward.run(['admin', 'rotate-token-key'])).rejects.toThrow(/already published/);

    // Moves the publication time back by 15 minutes in the database, while the server is stopped.
    await keyward.stop();
    const database = path.join(keyward.folder, 'keyward.db');
    const past = 'UPDATE signing_keys SET signs_from = created_at WHERE signs_from > created_at';
    await promisify(execFile)('sqlite3', ['-cmd', '.timeout 10000', database, past]);
    await keyward.start();

    const after = (await requestToken(as, key)).access_token;
    const kid = decodeProtectedHeader(after).kid;
    expect(kid).not.toBe(old);
    expect((await published()).sort()).toEqual([old, kid].sort());
    for (const token of [before, after]) {
      expect((await verifyOffline(as, token, audience)).payload.sub).toBe(`key:${key.key_id}`);
      expect(await introspect(as, key, token)).toMatchObject({ active: true });
    }
  });
});

test('authorization code with PKCE, through the browser', async ({ page, site, keyward }) => {
  const as = await discover(keyward);
  await site.addSession();
  const app = await ClientApp.open();
  const client: oauth.Client = { client_id: await registerApplication(site, 'Buoy Watch', app.redirect) };
  const key = await keyward.createKey('Ferry');
  const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];

  const url = new URL(as.authorization_endpoint ?? '');
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: app.redirect,
    scope: 'data:read',
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }).toString();
  await page.goto(url.href);
  await page.getByRole('button', { name: 'Allow' }).click();
  await expect(page.getByRole('heading', { name: 'Buoy Watch goes on' })).toBeVisible();

  // Validates `state` and, because the metadata announces it, `iss` (RFC 9207).
  const parameters = oauth.validateAuthResponse(as, client, await app.nextResponse(), state);
  const redirect = app.redirect;
  app.close();
  const redeem = async () => {
    const response = await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), parameters, redirect, verifier, insecure);
    return oauth.processAuthorizationCodeResponse(as, client, response);
  };
  const token = await redeem();
  expect(token).toMatchObject({ token_type: 'bearer', scope: 'data:read', expires_in: 3600 });
  expect(token).not.toHaveProperty('refresh_token');
  const audience = `${keyward.url}/projects/${key.project_id}`;
  const { payload } = await verifyOffline(as, token.access_token, audience);
  expect(payload).toMatchObject({ client_id: client.client_id, sub: expect.stringMatching(/^user:/), grant_id: expect.any(String) });
  expect(await introspect(as, key, token.access_token)).toMatchObject({ active: true, client_id: client.client_id });

  // A reused code is denied, and its tokens are revoked (RFC 6749 section 10.5).
  expect(await errorOf(redeem())).toBe('invalid_grant');
  expect(await introspect(as, key, token.access_token)).toEqual({ active: false });
  await expect.poll(async () => (await fetchRevocationList(as)).before[`grant:${payload.grant_id}`] ?? 0).toBeGreaterThan(payload.iat ?? 0);
});

test('device grant, and revocation by a client without a secret', async ({ page, site, keyward }) => {
  const as = await discover(keyward);
  await site.addSession();
  const client: oauth.Client = { client_id: await registerApplication(site, 'Buoy Watch', 'https://buoywatch.example/done') };
  const key = await keyward.createKey('Ferry');
  const authorization = await oauth.processDeviceAuthorizationResponse(as, client, await oauth.deviceAuthorizationRequest(as, client, oauth.None(), { scope: 'data:read' }, insecure));
  const poll = async () => {
    const response = await oauth.deviceCodeGrantRequest(as, client, oauth.None(), authorization.device_code, insecure);
    return oauth.processDeviceCodeResponse(as, client, response);
  };
  expect(await errorOf(poll())).toBe('authorization_pending');

  await page.goto(authorization.verification_uri);
  await site.ready();
  await page.getByLabel('Code').fill(authorization.user_code);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Allow' }).click();
  await expect(page.getByRole('heading', { name: 'Access allowed' })).toBeVisible();
  const token = await poll();
  expect(token).toMatchObject({ token_type: 'bearer', scope: 'data:read' });
  expect(await introspect(as, key, token.access_token)).toMatchObject({ active: true });

  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, oauth.None(), token.access_token, insecure));
  expect(await introspect(as, key, token.access_token)).toEqual({ active: false });
  expect(await errorOf(poll())).toBe('invalid_grant');
});
