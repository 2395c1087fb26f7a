import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A fresh folder for each test of the suite that calls this; removed after it. */
export function useTempFolder(): { readonly path: string } {
  const folder = { path: '' };
  beforeEach(async () => {
    folder.path = await mkdtemp(path.join(tmpdir(), 'airlock-sources-'));
  });
  afterEach(() => rm(folder.path, { recursive: true, force: true }));
  return folder;
}
