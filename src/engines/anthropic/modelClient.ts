import type { Anthropic, ClientOptions } from '@anthropic-ai/sdk';
import type { Authorization, Endpoint } from './endpoint';
import { headersFor } from './endpoint';
import type { EngineLimits } from './engineOptions';
import type { ResponseGuard } from './responseGuard';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * The SDK's client. It is given a credential always, so that it never looks for one in the environment or on disk, and it
 * retries and logs nothing by itself: every retry is ours, and its log would hold what was said.
 */
export async function createModelClient(
  endpoint: Endpoint,
  authorization: Authorization,
  guard: Pick<ResponseGuard, 'fetch'>,
  limits: Pick<EngineLimits, 'firstByteMs'>,
): Promise<Anthropic> {
  // Loading the SDK takes long enough to be felt at the start of the editor.
  const sdk = await import('@anthropic-ai/sdk');
  const options: ClientOptions = {
    ...credentialOf(authorization),
    baseURL: endpoint.baseUrl,
    defaultHeaders: headersFor(endpoint, authorization),
    maxRetries: 0,
    // The guard watches the time; this only must not be shorter.
    timeout: limits.firstByteMs * 2,
    logLevel: 'off',
    logger: silent,
    openTelemetry: false,
    fetch: guard.fetch,
    // A redirect would carry an `x-api-key` to wherever it points.
    fetchOptions: { redirect: 'manual' },
  };
  return new sdk.Anthropic(options);
}

function credentialOf(authorization: Authorization): Pick<ClientOptions, 'apiKey' | 'authToken'> {
  switch (authorization.kind) {
    case 'apiKey':
      return { apiKey: authorization.secret };
    case 'authToken':
      return { authToken: authorization.secret };
    case 'none':
      // Something must be given, or the SDK looks for it; the headers take it away again.
      return { authToken: 'none' };
  }
}
