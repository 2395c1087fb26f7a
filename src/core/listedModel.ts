/** A model that a server says it has. */
export interface ListedModel {
  /** What it is asked for by. */
  readonly id: string;
  /** For people; the id when the server has no other name for it. */
  readonly name: string;
  /** Tokens of its context window; `null` when the server does not say. */
  readonly contextTokens: number | null;
  /** It is on its way out: the server says that it is deprecated or retired. */
  readonly isDeprecated: boolean;
}
