/** Keyward in the browser: the types of `/sdk/v1.js`. */

/** What a page may ask of the person. */
export interface Asked {
  /** The scopes, with spaces between; none if it is left out. The person may take some out. */
  scope?: string;
  /** The life of the token in seconds, as far as what the person allows is not shorter; an hour if it is left out. */
  expiresIn?: number;
  /** How long the person has to answer, in milliseconds; ten minutes if it is left out. */
  timeout?: number;
}

/** A token, as the token endpoint answers it (RFC 6749 section 5.1). */
export interface Token {
  access_token: string;
  token_type: "Bearer";
  /** In seconds. */
  expires_in: number;
  /** The scopes that were allowed, with spaces between. */
  scope: string;
}

/** Why it failed. Besides those named here, any code of Keyward's own answers. */
export type Code =
  /** The page is not served by https, nor from this computer: WebCrypto is not there. */
  | "insecure_context"
  /** The browser did not open the window: ask from within a click. */
  | "popup_blocked"
  /** The person closed the window, or the page has a `Cross-Origin-Opener-Policy` that cuts the tie to it. */
  | "window_closed"
  /** Nobody answered in time. */
  | "timeout"
  /** The person said no. */
  | "access_denied"
  /** The answer names another issuer than the one that this file was loaded from. */
  | "wrong_issuer"
  /** There was no answer, or none that can be read. */
  | "unavailable"
  /** The project does not offer what was asked. */
  | "invalid_scope"
  /** The code was not redeemed within its minute, or what was allowed has ended meanwhile. */
  | "invalid_grant"
  /** The token is none of Keyward's, is over, or is of another project. */
  | "invalid_token"
  | "token_expired"
  | "wrong_audience"
  /** What the person allowed, or the key behind the token, holds no more. */
  | "inactive"
  | "deleted"
  | "expired"
  | (string & {});

/** Everything that fails, fails with this. */
export class KeywardError extends Error {
  constructor(code: Code, message?: string, status?: number);
  readonly name: "KeywardError";
  /** Stable: compare this one, not the words. */
  readonly code: Code;
  /** The status of Keyward's answer, if there was one. */
  readonly status?: number;
}

/**
 * Asks the person, in a window, to allow a temporary token. Call it from within a click.
 * Nothing is kept: whoever asks again, asks the person again.
 */
export function requestToken(projectId: string, asked?: Asked): Promise<Token>;

/**
 * The config of a project. An empty token asks the person for one, as `requestToken` does; any other is used as it is.
 */
export function fetchPopConfig<Config = unknown>(
  projectId: string,
  token?: string | null,
  asked?: Asked,
): Promise<Config>;

export { fetchPopConfig as FetchPopConfig };
