import type { Command } from 'commander';
import { modelsOf } from '../assemble';
import { engineFromEnvironment } from './engineFromEnvironment';
import { oneLine, tableText } from './words';

/** `airlock models`: which models the server of the environment has. */
export function addModels(airlock: Command): void {
  airlock
    .command('models')
    .description('list the models of the server that the environment names, as `ANTHROPIC_MODEL` takes them')
    .option('--json', 'one model as JSON a line', false)
    .action(async ({ json }: { readonly json: boolean }) => {
      const models = await modelsOf(engineFromEnvironment(process.env) ?? { kind: 'none' });
      if (json) for (const model of models) process.stdout.write(`${JSON.stringify(model)}\n`);
      else if (models.length === 0) process.stdout.write('The server lists no models.\n');
      else {
        const rows = models.map(({ id, name, contextTokens, isDeprecated }) => [
          oneLine(id, 100),
          contextTokens === null ? '–' : contextTokens.toLocaleString('en-US'),
          oneLine(isDeprecated ? `${name} (deprecated)` : name, 100),
        ]);
        process.stdout.write(`${tableText(['model', 'context', 'name'], rows)}\n`);
      }
    });
}
