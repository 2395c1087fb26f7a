/**
 * What belongs to a report: the change itself, what the executor saw of it, what was seen in the terminal, and the page of the pull
 * request that the user opened of it.
 */
export const artifactKinds = ['patch', 'evidence', 'log', 'pullRequest'] as const;
export type ArtifactKind = (typeof artifactKinds)[number];

export interface Artifact {
  readonly kind: ArtifactKind;
  /** What it is called at the source. The same for every try of one task: a later one takes its place. */
  readonly name: string;
  readonly content: string;
}
