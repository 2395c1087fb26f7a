import { type Command, Option } from 'commander';
import path from 'node:path';
import type { EngineChoice } from '../assemble';
import { engineFromEnvironment } from './engineFromEnvironment';

/** Which engine does the work, as it is said on the command line. */
export interface EngineFlags {
  readonly engine: 'anthropic' | 'claude-code';
  readonly claude: string | undefined;
  readonly claudeProcess: 'perRun' | 'perExchange';
}

export function addEngineOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--engine <kind>', 'what thinks: a Messages API, or your own Claude Code in the jail')
        .choices(['anthropic', 'claude-code'])
        .default('anthropic'),
    )
    .option('--claude <path>', 'your Claude Code; without it "claude" on the PATH')
    .addOption(
      new Option('--claude-process <life>', 'how long one process of Claude Code lives')
        .choices(['perRun', 'perExchange'])
        .default('perRun'),
    );
}

/** Key, server and model come from the environment, whatever the engine is. */
export function engineChoice(flags: EngineFlags, environment: NodeJS.ProcessEnv): EngineChoice {
  const server = engineFromEnvironment(environment);
  if (!server) return { kind: 'none' };
  if (flags.engine === 'anthropic') return server;
  const { claude, claudeProcess } = flags;
  return {
    ...server,
    kind: 'claude-code',
    path: claude === undefined ? null : path.resolve(claude),
    process: claudeProcess,
  };
}
