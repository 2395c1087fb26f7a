import { type BudgetLimits, noLimits } from '../../core/budget';
import type { Settings } from './settings';

/** What all runs together may spend. What one run may, is a setting of its own. */
export function budgetOf(settings: Settings): BudgetLimits {
  return {
    ...noLimits,
    perTaskUsd: settings.value('airlock.budget.perTask'),
    perDayUsd: settings.value('airlock.budget.perDay'),
    totalUsd: settings.value('airlock.budget.total'),
    perPersonaUsd: settings.value('airlock.budget.perPersona'),
    perTaskTokens: settings.value('airlock.budget.tokensPerTask'),
    perDayTokens: settings.value('airlock.budget.tokensPerDay'),
    totalTokens: settings.value('airlock.budget.tokensTotal'),
    unknownPrices: settings.value('airlock.budget.unknownPrices'),
  };
}
