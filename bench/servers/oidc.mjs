// oidc-provider with default settings and the client credentials grant. As in Keyward, access tokens are JWTs signed with EdDSA, valid
// for 1 day.
// oidc.mjs CLIENTS PORT; CLIENTS: a file of "SECRET VERDICT ID" lines.
import { readFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const [file, port] = process.argv.slice(2);
const clients = readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => {
  const [secret, , id] = line.split(' ');
  return {
    client_id: id, client_secret: secret, grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
    token_endpoint_auth_method: 'client_secret_post', scope: 'tides:read',
  };
});
const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
const resource = 'https://tides.example';
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients,
  clientDefaults: { id_token_signed_response_alg: 'EdDSA' },
  scopes: ['tides:read'],
  jwks: { keys: [{ ...jwk, alg: 'EdDSA', use: 'sig', kid: 'bench' }] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      getResourceServerInfo: () => ({
        scope: 'tides:read', audience: resource, accessTokenTTL: 86_400, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'EdDSA' } },
      }),
    },
  },
  ttl: { ClientCredentials: 86_400 },
});
provider.listen(Number(port), '127.0.0.1');
