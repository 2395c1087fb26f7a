/** What a background command wrote since it was last asked, and whether it still runs. */
export interface BackgroundOutput {
  /** `exitCode` is `null` when it was killed in a way that nobody saw. */
  readonly status: { readonly kind: 'running' } | { readonly kind: 'ended'; readonly exitCode: number | null };
  /** Stdout and stderr as they came, cut in the middle when there was more than is kept. */
  readonly output: Uint8Array;
  readonly droppedBytes: number;
}

/** Commands of the agent's that run beside its shell until they end, are stopped, or the session ends. */
export interface BackgroundCommands {
  /**
   * Starts a command with the folder and the exported variables of the agent's shell.
   * @returns its id, for the other methods.
   * @throws {UserError} `background-full` when as many run as may; `session-closed`.
   */
  start(command: string, signal?: AbortSignal): Promise<string>;
  /**
   * What is new, waited for up to `waitMs`. Once its end was told the id is forgotten.
   * @throws {UserError} `unknown-background`.
   */
  read(id: string, options: { readonly waitMs: number; readonly signal?: AbortSignal }): Promise<BackgroundOutput>;
  /** Types into its standard input, which never ends. @throws {UserError} `unknown-background`. */
  write(id: string, text: string): Promise<void>;
  /** Ends it and all that it started; its last output can be read. @throws {UserError} `unknown-background`. */
  stop(id: string): Promise<void>;
}
