/** Tool chains that jails see beside those on the `PATH`: paths in `AIRLOCK_TOOL_CHAINS`, between colons. */
export function namedToolChains(environment: NodeJS.ProcessEnv): string[] {
  return (environment['AIRLOCK_TOOL_CHAINS'] ?? '').split(':').filter((path) => path !== '');
}
