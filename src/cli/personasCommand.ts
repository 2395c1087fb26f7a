import type { Command } from 'commander';
import path from 'node:path';
import { personasOf } from '../assemble';
import { diagnosticLine } from '../core/diagnostic';
import type { FoundPersona, PersonaOrigin } from '../core/persona';
import { personaMatrix } from '../core/personaMatrix';
import { toolsOf } from '../core/readOnlyPersona';
import { personaNetworkOption, personasOption } from './arguments';
import { engineFromEnvironment } from './engineFromEnvironment';
import { repositoryOf } from './places';
import { oneLine, tableText } from './words';
import { markdownTable } from '../base/markdownTable';
import { repositoriesOf } from './workCommand';

interface PersonasFlags {
  readonly repo: string | undefined;
  readonly personas: string;
  readonly personaNetwork: readonly string[];
  readonly matrix: boolean;
  readonly json: boolean;
}

const columns = ['persona', 'workspace', 'tools', 'network', 'model', 'from'];

/** `airlock personas`: who may be given a task, what each may do, and where it comes from. */
export function addPersonas(airlock: Command): void {
  airlock
    .command('personas')
    .description('list the personas that tasks can name, with what each may do and where it comes from')
    .option('--repo <dir>', 'the repository (default: the one around the current folder, if there is one)')
    .addOption(personasOption())
    .addOption(personaNetworkOption())
    .option('--matrix', 'which persona may do what, as a table in Markdown', false)
    .option('--json', 'one persona as JSON a line', false)
    .action(async ({ repo, personas: folder, personaNetwork: network, matrix, json }: PersonasFlags) => {
      const repository =
        repo === undefined ? await repositoryOf(process.cwd()) : (await repositoriesOf([repo], true))[0];
      const engine = engineFromEnvironment(process.env) ?? { kind: 'none' };
      const { personas, diagnostics } = await personasOf(repository ?? null, {
        folder: path.resolve(folder),
        network,
        engine,
      });
      if (json) for (const found of personas) process.stdout.write(`${JSON.stringify(found)}\n`);
      else if (matrix) process.stdout.write(markdownTable(personaMatrix(personas)));
      else process.stdout.write(`${tableText(columns, personas.map(row))}\n`);
      for (const each of diagnostics) process.stderr.write(`${oneLine(diagnosticLine(each), 1000)}\n`);
      if (diagnostics.some(({ severity }) => severity === 'error')) process.exitCode = 1;
    });
}

function row({ persona, origin }: FoundPersona): string[] {
  const { name, workspace, network, model } = persona;
  return [
    oneLine(name, 40),
    workspace === 'read' ? 'read-only' : 'read-write',
    toolsOf(persona).join(' '),
    network.kind === 'none' ? 'none' : oneLine(network.domains.join(' '), 200),
    oneLine(model ?? '–', 60),
    oneLine(placeWords(origin), 300),
  ];
}

function placeWords(origin: PersonaOrigin): string {
  return origin.kind === 'builtIn' ? 'built in' : origin.path;
}
