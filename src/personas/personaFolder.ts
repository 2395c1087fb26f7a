import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, systemCodeOf } from '../base/errors';
import { maxPersonaBytes } from './personaFile';

/** More files than this are not looked at. */
export const maxPersonas = 200;

/** A file that may be a persona. */
export interface PersonaText {
  /** Its name in its folder. */
  readonly file: string;
  /** Absolute. */
  readonly path: string;
  /** `null`: it cannot be read, and why. */
  readonly text: string | null;
  readonly problem: string;
}

export function isPersonaName(file: string): boolean {
  return file.endsWith('.md') && !file.startsWith('.') && file.toLowerCase() !== 'readme.md';
}

/** The files of a folder of the user's own, by name. A folder that is not there has none. */
export async function readPersonaFolder(folder: string): Promise<readonly PersonaText[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR') return [];
    throw error;
  });
  return Promise.all(
    names
      .filter(isPersonaName)
      .sort()
      .slice(0, maxPersonas)
      .map((file) => readOne(file, join(folder, file))),
  );
}

async function readOne(file: string, path: string): Promise<PersonaText> {
  try {
    const { size } = await stat(path);
    if (size > maxPersonaBytes) return { file, path, text: null, problem: tooLarge };
    return { file, path, text: await readFile(path, 'utf8'), problem: '' };
  } catch (error) {
    return { file, path, text: null, problem: `It cannot be read: ${messageOf(error)}` };
  }
}

export const tooLarge = `It is larger than ${maxPersonaBytes / 1024} KiB.`;
