import { z } from 'zod';
import type { Event } from '../base/emitter';

/** How large a terminal is, in characters. */
export const terminalSizeSchema = z.object({
  columns: z.number().int().min(2).max(1_000),
  rows: z.number().int().min(1).max(1_000),
});
export type TerminalSize = z.infer<typeof terminalSizeSchema>;

/** The keyboard of a session, in the hands of a user. What is typed can be read by the code in the jail. */
export interface Keyboard {
  /** Keys as a terminal sends them. After the end they go nowhere. */
  write(keys: string): void;
  resize(size: TerminalSize): void;
  /** Ends what the user runs in the terminal, and lets the agent go on. Doing it again does nothing. */
  giveBack(): Promise<void>;
  /** Fired once, when the agent has the session again or the session is over, however that came. Who asks later is told at once. */
  readonly onDidEnd: Event<void>;
}

/** What the user did while having the keyboard. */
export interface HandedBack {
  /** Paths in the workspace that were written, added or deleted, sorted; `null` when that could not be told. */
  readonly changedFiles: readonly string[] | null;
}
