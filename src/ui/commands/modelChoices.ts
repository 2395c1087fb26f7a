/** What the list of models offers. */
import * as l10n from '@vscode/l10n';
import type { ListedModel } from '../../core/listedModel';
import { formatTokens } from '../figures';
import { labelText } from '../markdownText';

/** What choosing a row means. */
export type ModelChoice =
  | { readonly kind: 'model'; readonly id: string }
  /** Whatever Airlock takes when none is named. */
  | { readonly kind: 'default' }
  /** One that the user names. */
  | { readonly kind: 'other' };

export interface ModelRow {
  readonly label: string;
  readonly description: string;
  readonly choice: ModelChoice;
}

/** @param current The setting; empty for the default. */
export function modelRows(models: readonly ListedModel[], current: string): readonly ModelRow[] {
  const isListed = models.some(({ id }) => id === current);
  return [
    ...models.map((model) => ({
      label: labelText(model.id),
      description: descriptionOf(model, model.id === current),
      choice: { kind: 'model', id: model.id } as const,
    })),
    ...(current === '' || isListed
      ? []
      : [
          {
            label: labelText(current),
            description: l10n.t('in use; the server does not list it'),
            choice: { kind: 'model', id: current } as const,
          },
        ]),
    {
      label: l10n.t('Default'),
      description: [l10n.t('the model that Airlock takes when none is named'), ...inUse(current === '')].join(' · '),
      choice: { kind: 'default' },
    },
    { label: l10n.t('Another name…'), description: '', choice: { kind: 'other' } },
  ];
}

function descriptionOf({ id, name, contextTokens, isDeprecated }: ListedModel, isCurrent: boolean): string {
  return [
    ...(name === id ? [] : [labelText(name)]),
    ...(contextTokens === null ? [] : [l10n.t('{0} tokens', formatTokens(contextTokens))]),
    ...(isDeprecated ? [l10n.t('deprecated')] : []),
    ...inUse(isCurrent),
  ].join(' · ');
}

function inUse(isCurrent: boolean): string[] {
  return isCurrent ? [l10n.t('in use')] : [];
}
