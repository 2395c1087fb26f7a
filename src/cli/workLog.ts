/** What `airlock work` says beside its lines of progress: on stderr, and with all else in a log file when one is named. */
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { type EngineChoice, knownSecrets, redactorOf, type SourceChoice } from '../assemble';
import { systemClock } from '../base/clock';
import { UserError } from '../base/errors';
import { type Logger, silentLogger } from '../base/logger';
import { isWithin } from '../base/pathWithin';
import type { RotationLimits } from '../base/rotatingFile';
import { makeVisible } from '../base/visible';
import type { AirlockEvent } from '../core/events';
import { type LiveState, taskOf } from '../core/liveState';
import { consoleLogger } from './consoleLogger';
import { bothLoggers, openLogFile } from './logFile';
import { progressText } from './progressLines';

export interface LogFileChoice extends RotationLimits {
  /** An absolute path. */
  readonly file: string;
}

export interface WorkLog {
  /** For what Airlock logs: stderr, and the file. */
  readonly logger: Logger;
  /** The file alone; silent when there is none. */
  readonly file: Logger;
  /** For whoever sits at the terminal. */
  say(text: string): void;
  /** What is told of an event at the terminal, for the file. */
  event(state: LiveState, event: AirlockEvent): void;
}

/** @throws {UserError} `log-file-unusable`. */
export async function openLog(options: {
  readonly logTo?: LogFileChoice | undefined;
  readonly storage: string;
  readonly verbose: boolean;
  readonly engine: EngineChoice;
  readonly otherEngines?: readonly EngineChoice[];
  readonly sources: readonly SourceChoice[];
}): Promise<WorkLog> {
  const { logTo, verbose } = options;
  const shown = consoleLogger(verbose);
  const tell = (text: string): void => void process.stderr.write(`${makeVisible(text)}\n`);
  if (!logTo) return { logger: shown, file: silentLogger, say: tell, event() {} };
  await throwIfInStorage(logTo.file, options.storage);
  const redact = redactorOf([...(await knownSecrets(options)), ...secretsForServers(process.env)]);
  const file = openLogFile({ ...logTo, verbose, redact, clock: systemClock, onTrouble: tell });
  return {
    logger: bothLoggers(shown, file),
    file,
    say(text) {
      tell(text);
      file.info(text);
    },
    event(state, event) {
      if (progressText(state, event) === undefined) return;
      // Lines of progress are cut: what is left of a secret would be known no more.
      const text = progressText(state, withoutSecrets(event, redact)) ?? '';
      const runId = 'runId' in event ? event.runId : null;
      file.info(text, { event: event.kind, taskId: taskOf(state, event), ...(runId === null ? {} : { runId }) });
    },
  };
}

function withoutSecrets(event: AirlockEvent, redact: (text: string) => string): AirlockEvent {
  return JSON.parse(JSON.stringify(event), (_, value: unknown) =>
    typeof value === 'string' ? redact(value) : value,
  ) as AirlockEvent;
}

/** Those that MCP servers may have. */
function secretsForServers(environment: NodeJS.ProcessEnv): string[] {
  return Object.entries(environment).flatMap(([name, value = '']) =>
    name.startsWith('AIRLOCK_SECRET_') ? [value] : [],
  );
}

/** Lines of a log in a file of the storage would damage that. */
async function throwIfInStorage(file: string, storage: string): Promise<void> {
  const real = (name: string): Promise<string> => realpath(name).catch(() => name);
  const [folder, kept] = await Promise.all([real(path.dirname(file)), real(storage)]);
  if (!isWithin(folder, kept)) return;
  throw new UserError(
    'log-file-unusable',
    `The log file ${file} lies in the storage folder ${storage}. Name one elsewhere with --log-file.`,
    { file },
  );
}
