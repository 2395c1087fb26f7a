import { readFileSync } from 'node:fs';
import path from 'node:path';
import { messageOf, UserError } from '../base/errors';
import { type BudgetLimits, noLimits } from '../core/budget';
import { type OwnPrices, ownPricesSchema } from '../core/prices';

/** What `airlock work` is told of money. */
export interface BudgetFlags {
  readonly budgetPerRun?: number;
  readonly budgetPerTask?: number;
  readonly budgetPerDay?: number;
  readonly budgetTotal?: number;
  readonly tokensPerDay?: number;
  readonly allowUnknownPrices: boolean;
  readonly prices?: string;
}

export interface WorkBudget {
  readonly budget: BudgetLimits;
  readonly prices: OwnPrices;
}

/** @throws {UserError} `prices-invalid`. */
export function budgetFrom(flags: BudgetFlags): WorkBudget {
  return {
    budget: {
      ...noLimits,
      perRunUsd: flags.budgetPerRun ?? null,
      perTaskUsd: flags.budgetPerTask ?? null,
      perDayUsd: flags.budgetPerDay ?? null,
      totalUsd: flags.budgetTotal ?? null,
      perDayTokens: flags.tokensPerDay === undefined ? null : Math.floor(flags.tokensPerDay),
      unknownPrices: flags.allowUnknownPrices ? 'allow' : 'refuse',
    },
    prices: flags.prices === undefined ? {} : readPrices(path.resolve(flags.prices)),
  };
}

function readPrices(file: string): OwnPrices {
  try {
    return ownPricesSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new UserError('prices-invalid', `${file} is no list of prices: ${messageOf(error)}`, { file });
  }
}
