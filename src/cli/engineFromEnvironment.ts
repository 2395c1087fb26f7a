import type { EngineChoice } from '../assemble';

/**
 * Which model does the work, by the environment: `ANTHROPIC_BASE_URL` names any server that speaks the Messages API,
 * `ANTHROPIC_API_KEY` or `ANTHROPIC_AUTH_TOKEN` is the key, `ANTHROPIC_MODEL` the model. `undefined`: nothing is set.
 */
export function engineFromEnvironment(
  environment: NodeJS.ProcessEnv,
): Extract<EngineChoice, { kind: 'anthropic' }> | undefined {
  const apiKey = environment['ANTHROPIC_API_KEY'] || undefined;
  const authToken = environment['ANTHROPIC_AUTH_TOKEN'] || undefined;
  const baseUrl = environment['ANTHROPIC_BASE_URL'] || undefined;
  if (!apiKey && !authToken && !baseUrl) return undefined;
  return {
    kind: 'anthropic',
    credential: apiKey
      ? { kind: 'apiKey', read: () => Promise.resolve(apiKey) }
      : { kind: 'authToken', read: () => Promise.resolve(authToken) },
    baseUrl: baseUrl ?? null,
    model: environment['ANTHROPIC_MODEL'] || null,
  };
}
