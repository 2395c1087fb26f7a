import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { messageOf, UserError } from '../base/errors';
import { type BudgetLimits, noLimits } from '../core/budget';
import { type OwnPrices, ownPricesSchema } from '../core/prices';
import { positiveAmount } from './arguments';

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

export function addBudgetOptions(command: Command): Command {
  return command
    .option('--budget-per-run <usd>', 'US dollars that one run may cost', positiveAmount)
    .option('--budget-per-task <usd>', 'that one task may cost, all its runs together', positiveAmount)
    .option('--budget-per-day <usd>', 'that all may cost from midnight to midnight', positiveAmount)
    .option('--budget-total <usd>', 'that the whole queue may ever cost', positiveAmount)
    .option('--tokens-per-day <n>', 'tokens that all may use from midnight to midnight', positiveAmount)
    .option('--allow-unknown-prices', 'ask models whose price is not known, in spite of limits in dollars', false)
    .option('--prices <file>', 'a JSON file with prices of models, as in the setting airlock.prices');
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
