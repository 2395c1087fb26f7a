import type { DiagnosticSink } from '../core/diagnostic';
import type { FolderSource } from '../core/folderSource';
import type { AirlockOptions } from './options';

/** What the executor of another process is to follow for this one, and who is told what is wrong there. */
export function lentBy({ sources, onDiagnostics = () => {} }: Pick<AirlockOptions, 'sources' | 'onDiagnostics'>): {
  readonly lent: readonly FolderSource[];
  readonly onDiagnostics: DiagnosticSink;
} {
  const lent = sources.filter((choice) => choice.kind === 'taskFile' || choice.kind === 'taskDefinitions');
  return { lent, onDiagnostics };
}
