import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider as OidcProvider } from 'oidc-provider';

/** One key for each worker, because generating an RSA key is slow. */
let signingKey: KeyObject | undefined;

const CLIENT = { id: 'keyward', secret: randomBytes(24).toString('base64url') };

const page = (body: string) => `<!doctype html><html lang="en"><title>Pelagic ID</title><main><h1>Pelagic ID</h1>${body}</main>`;

/** An OpenID provider (npm's oidc-provider) that accepts any account name. The name before the `@` is the subject. */
export class Provider {
  private constructor(
    private readonly server: Server,
    readonly issuer: string,
  ) {}

  static async open(): Promise<Provider> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    // Another site than Keyward's 127.0.0.1, as in production.
    return new Provider(server, `http://localhost:${(server.address() as AddressInfo).port}`);
  }

  /** Settings that make Keyward use this provider. */
  get settings(): Record<string, string> {
    return {
      KEYWARD_OIDC_ISSUER: this.issuer,
      KEYWARD_OIDC_CLIENT_ID: CLIENT.id,
      KEYWARD_OIDC_CLIENT_SECRET: CLIENT.secret,
      KEYWARD_OIDC_NAME: 'Pelagic ID',
    };
  }

  /** Starts to serve requests, with the Keyward server at this URL as the client. */
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
      // Sign-in includes consent.
      loadExistingGrant: async (ctx: any) => {
        const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
        grant.addOIDCScope('openid email profile');
        await grant.save();
        return grant;
      },
    });
    const handler: RequestListener = provider.callback();
    this.server.removeAllListeners('request').on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (request.url === '/favicon.ico') return response.writeHead(204).end();
      if (!request.url?.startsWith('/interaction/')) return handler(request, response);
      // Leaving the page ends the request.
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
    const form = '<form method="post"><label>Account <input name="account"></label><button name="action" value="in">Continue</button><button name="action" value="no">Cancel</button></form>';
    response.setHeader('content-type', 'text/html').end(page(form));
    return;
  }
  let body = '';
  for await (const chunk of request) body += chunk;
  const form = new URLSearchParams(body);
  const result = form.get('action') === 'in' ? { login: { accountId: form.get('account') ?? '' } } : { error: 'access_denied', error_description: 'Denied' };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}
