import * as l10n from '@vscode/l10n';
import { diagnosticLine } from '../../core/diagnostic';
import type { PersonaList } from '../../core/persona';
import { personaMatrix } from '../../core/personaMatrix';
import { fields, heading, quoted, report, table, title } from './reportText';

export interface PersonasOfPlace {
  /** `null`: without a repository. */
  readonly repo: string | null;
  readonly list: PersonaList;
}

/** Which persona may do what, and what is wrong with files that were to be some. */
export function personaReport(places: readonly PersonasOfPlace[]): string {
  return report([
    title(l10n.t('Personas')),
    l10n.t('Airlock denies what a persona may not do, whatever the model says. A task names its persona.'),
    ...places.flatMap(({ repo, list }) => section(repo, list)),
  ]);
}

function section(repo: string | null, { personas, diagnostics }: PersonaList): string[] {
  return [
    heading(repo ?? l10n.t('Without a repository')),
    fields(personas.map(({ persona }) => [persona.name, persona.description])),
    table(personaMatrix(personas)),
    ...(diagnostics.length === 0
      ? []
      : [heading(l10n.t('What is wrong')), quoted(diagnostics.map(diagnosticLine).join('\n'))]),
  ];
}
