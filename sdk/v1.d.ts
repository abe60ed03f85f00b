/** Keyward browser SDK: the types of `/sdk/v1.js`. */

/** Options of a token request. */
export interface Asked {
  /** The requested scopes, separated by spaces. Default: none. The user can uncheck some of them. */
  scope?: string;
  /** The lifetime of the token in seconds, limited by the duration that the user allows. Default: one hour. */
  expiresIn?: number;
  /** How long to wait for the user, in milliseconds. Default: 10 minutes. */
  timeout?: number;
}

/** A token response (RFC 6749 section 5.1). */
export interface Token {
  access_token: string;
  token_type: "Bearer";
  /** Lifetime in seconds. */
  expires_in: number;
  /** The granted scopes, separated by spaces. */
  scope: string;
}

/** Error codes. Every other error code of Keyward is also possible. */
export type Code =
  /** The page is not served over https or from localhost, so WebCrypto is not available. */
  | "insecure_context"
  /** The browser blocked the window. Call the function in a click handler. */
  | "popup_blocked"
  /** The user closed the window, or the `Cross-Origin-Opener-Policy` of the page separates it from the window. */
  | "window_closed"
  /** The user did not respond in time. */
  | "timeout"
  /** The user denied the request. */
  | "access_denied"
  /** The response is from an issuer other than the origin of this file. */
  | "wrong_issuer"
  /** Keyward did not respond, or the response could not be read. */
  | "unavailable"
  /** The project does not offer the requested scopes. */
  | "invalid_scope"
  /** The code was not redeemed within one minute, or the grant was revoked. */
  | "invalid_grant"
  /** The token is not valid, has expired, or belongs to another project. */
  | "invalid_token"
  | "token_expired"
  | "wrong_audience"
  /** The grant or the key of the token is no longer valid. */
  | "inactive"
  | "deleted"
  | "expired"
  | (string & {});

/** The error of every failed call. */
export class KeywardError extends Error {
  constructor(code: Code, message?: string, status?: number);
  readonly name: "KeywardError";
  /** The stable error code. Compare this and not the message. */
  readonly code: Code;
  /** The HTTP status of the response, if there was one. */
  readonly status?: number;
}

/**
 * Opens a window in which the user can allow a temporary token. Call it in a click handler.
 * The token is not stored. Every call asks the user again.
 */
export function requestToken(projectId: string, asked?: Asked): Promise<Token>;

/**
 * Returns the config of a project. If the token is empty, the user is asked for one, as by `requestToken`.
 */
export function fetchPopConfig<Config = unknown>(
  projectId: string,
  token?: string | null,
  asked?: Asked,
): Promise<Config>;

export { fetchPopConfig as FetchPopConfig };
