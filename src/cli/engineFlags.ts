import { type Command, Option } from 'commander';
import path from 'node:path';
import type { EngineChoice } from '../assemble';
import { type Effort, efforts } from '../core/engine';
import { numberFrom } from './arguments';
import { engineFromEnvironment } from './engineFromEnvironment';

/** Which engine does the work, as it is said on the command line. */
export interface EngineFlags {
  readonly engine: 'anthropic' | 'claude-code';
  readonly claude: string | undefined;
  readonly claudeProcess: Extract<EngineChoice, { kind: 'claude-code' }>['process'];
  readonly contextTokens: number | undefined;
  readonly effort: Effort | undefined;
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
        .choices(['perRun', 'perExchange', 'prestarted', 'shared'])
        .default('perRun'),
    )
    .addOption(
      new Option('--context-tokens <count>', "the model's context window, where it is not known").argParser(
        numberFrom(1000, 100_000_000, 'whole'),
      ),
    )
    .addOption(new Option('--effort <level>', 'how much the model thinks and writes').choices(efforts));
}

/** Key, server and model come from the environment, whatever the engine is. */
export function engineChoices(
  flags: EngineFlags,
  environment: NodeJS.ProcessEnv,
): { readonly engine: EngineChoice; readonly otherEngines: readonly EngineChoice[] } {
  const fromEnvironment = engineFromEnvironment(environment);
  if (!fromEnvironment) return { engine: { kind: 'none' }, otherEngines: [] };
  const server = { ...fromEnvironment, contextTokens: flags.contextTokens ?? null };
  const { claude, claudeProcess } = flags;
  const claudeCode: EngineChoice = {
    ...server,
    kind: 'claude-code',
    path: claude === undefined ? null : path.resolve(claude),
    process: claudeProcess,
  };
  return flags.engine === 'anthropic'
    ? { engine: server, otherEngines: [claudeCode] }
    : { engine: claudeCode, otherEngines: [server] };
}
