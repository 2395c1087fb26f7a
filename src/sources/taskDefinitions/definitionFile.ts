import { readYaml, type ReadYaml } from '../../core/yamlFile';
import { definitionSchema, type TaskDefinition } from './definitionSchema';

/** A definition larger than this is none. */
export const maxDefinitionBytes = 256 * 1024;

export interface ReadDefinition extends Omit<ReadYaml<TaskDefinition>, 'value'> {
  /** `undefined` when something is wrong that it cannot be used with. */
  readonly definition: TaskDefinition | undefined;
}

/** Reads one task definition. Never throws: what is wrong is said with its line and column. */
export function readDefinition(text: string, path: string): ReadDefinition {
  const { value, diagnostics, place } = readYaml(text, definitionSchema, { path });
  return { definition: value, diagnostics, place };
}
