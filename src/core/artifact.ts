/** What belongs to a report: the change itself, what the executor saw of it, and what was seen in the terminal. */
export const artifactKinds = ['patch', 'evidence', 'log'] as const;
export type ArtifactKind = (typeof artifactKinds)[number];

export interface Artifact {
  readonly kind: ArtifactKind;
  /** What it is called at the source. The same for every try of one task: a later one takes its place. */
  readonly name: string;
  readonly content: string;
}
