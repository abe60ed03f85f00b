import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider as OidcProvider } from 'oidc-provider';

/** Making an RSA key takes a while: one a worker is enough. */
let signingKey: KeyObject | undefined;

const CLIENT = { id: 'keyward', secret: randomBytes(24).toString('base64url') };

const page = (body: string) => `<!doctype html><html lang="en"><title>Pelagic ID</title><main><h1>Pelagic ID</h1>${body}</main>`;

/** A real provider (npm's oidc-provider) whose accounts are whatever is typed: the name before the `@` is the subject. */
export class Provider {
  private constructor(
    private readonly server: Server,
    readonly issuer: string,
  ) {}

  static async open(): Promise<Provider> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    // Another site than Keyward's 127.0.0.1, as it would be.
    return new Provider(server, `http://localhost:${(server.address() as AddressInfo).port}`);
  }

  /** What makes Keyward sign in here. */
  get settings(): Record<string, string> {
    return {
      KEYWARD_OIDC_ISSUER: this.issuer,
      KEYWARD_OIDC_CLIENT_ID: CLIENT.id,
      KEYWARD_OIDC_CLIENT_SECRET: CLIENT.secret,
      KEYWARD_OIDC_NAME: 'Pelagic ID',
    };
  }

  /** Begins to answer, with the Keyward at this address as its client. */
  serve(keyward: string): void {
    signingKey ??= generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const provider = new OidcProvider(this.issuer, {
      clients: [
        {
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
          redirect_uris: [`${keyward}/login/oidc/callback`],
          grant_types: ['authorization_code'],
          response_types: ['code'],
        },
      ],
      jwks: { keys: [{ ...signingKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
      cookies: { keys: [randomBytes(24).toString('base64url')] },
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
      features: { devInteractions: { enabled: false } },
      ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
      findAccount: (_: unknown, id: string) => ({
        accountId: id,
        claims: () => ({ sub: id, email: `${id}@pelagic.example`, email_verified: !id.startsWith('unconfirmed'), name: id }),
      }),
      interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
      // Whoever has signed in has agreed.
      loadExistingGrant: async (ctx: any) => {
        const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
        grant.addOIDCScope('openid email profile');
        await grant.save();
        return grant;
      },
    });
    const answer: RequestListener = provider.callback();
    this.server.removeAllListeners('request').on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (request.url === '/favicon.ico') return response.writeHead(204).end();
      if (!request.url?.startsWith('/interaction/')) return answer(request, response);
      // A page that is left meanwhile ends the request.
      interact(provider, request, response).catch(() => response.destroy());
    });
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

async function interact(provider: OidcProvider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') {
    const form = '<form method="post"><label>Account <input name="account"></label><button name="verb" value="in">Continue</button><button name="verb" value="no">Cancel</button></form>';
    response.setHeader('content-type', 'text/html').end(page(form));
    return;
  }
  let body = '';
  for await (const chunk of request) body += chunk;
  const said = new URLSearchParams(body);
  const result = said.get('verb') === 'in' ? { login: { accountId: said.get('account') ?? '' } } : { error: 'access_denied', error_description: 'Said no' };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}
