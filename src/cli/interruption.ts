/** The signals by which a user, or a terminal that goes away, asks a command to end. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** As a shell says it of a program that was interrupted. */
export const interruptedExitCode = 128 + 2;

/** @returns what lets go of the signals again. */
export function onSignals(action: () => void): () => void {
  for (const signal of signals) process.on(signal, action);
  return () => signals.forEach((signal) => process.off(signal, action));
}
