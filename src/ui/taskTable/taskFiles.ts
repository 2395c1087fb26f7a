import type { Settings } from '../settings/settings';

/** The files of a folder that may have a task table, relative to it. */
export function taskFiles(settings: Settings): readonly string[] {
  return [...new Set([settings.value('airlock.taskFile.path'), ...settings.value('airlock.taskFile.morePaths')])];
}
