import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, systemCodeOf } from '../../base/errors';
import { readLocalText, stampAt } from '../localText';
import { maxDefinitionBytes, readDefinition, type ReadDefinition } from './definitionFile';

/** Where task definitions are in a repository. */
export const definitionFolder = path.join('.airlock', 'tasks');

/** More files than this are not looked at. */
const maxDefinitions = 500;

/** A file of the folder, as it was last read. */
export interface LoadedDefinition {
  /** Its name in the folder. */
  readonly file: string;
  readonly path: string;
  readonly writtenAtMs: number;
  readonly read: ReadDefinition;
}

/** The task definitions of a repository. A file is read when it has changed. */
export class DefinitionFolder {
  private loaded = new Map<string, LoadedDefinition & { readonly stamp: string | null }>();

  constructor(private readonly repo: string) {}

  /** In the order of their names. A repository without the folder has none. */
  async look(): Promise<readonly LoadedDefinition[]> {
    const folder = path.join(this.repo, definitionFolder);
    const names = (await this.names(folder)).filter((name) => /\.ya?ml$/i.test(name) && !name.startsWith('.')).sort();
    const found = await Promise.all(names.slice(0, maxDefinitions).map((name) => this.load(folder, name)));
    this.loaded = new Map(found.map((each) => [each.file, each]));
    return found;
  }

  private async names(folder: string): Promise<string[]> {
    try {
      return await readdir(folder);
    } catch (error) {
      const code = systemCodeOf(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return [];
      throw error;
    }
  }

  private async load(folder: string, file: string): Promise<LoadedDefinition & { readonly stamp: string | null }> {
    const whole = path.join(folder, file);
    const stamp = await stampAt(whole);
    const before = this.loaded.get(file);
    if (before && before.stamp === stamp) return before;
    try {
      const { text, writtenAtMs } = await readLocalText(this.repo, whole, maxDefinitionBytes);
      return { file, path: whole, stamp, writtenAtMs, read: readDefinition(text, whole) };
    } catch (error) {
      const message = `The task cannot be read: ${messageOf(error)}`;
      const place = { line: 1, column: 1 };
      const diagnostics = [{ path: whole, ...place, severity: 'error' as const, message }];
      return {
        file,
        path: whole,
        stamp,
        writtenAtMs: 0,
        read: { definition: undefined, diagnostics, place: () => place },
      };
    }
  }
}
