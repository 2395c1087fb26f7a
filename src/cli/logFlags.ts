/** The log file of a worker, as options of the command line. */
import type { Command } from 'commander';
import path from 'node:path';
import { positiveInteger } from './arguments';
import type { LogFileChoice } from './workLog';

export interface LogFlags {
  readonly logFile: string | undefined;
  readonly logSize: number;
  readonly logKeep: number;
}

export function addLogOptions(command: Command): Command {
  return command
    .option('--log-file <file>', 'write a log to this file, one JSON object a line')
    .option('--log-size <mebibytes>', 'how large it grows before it is put aside', positiveInteger, 10)
    .option('--log-keep <n>', 'how many older ones are kept', positiveInteger, 5);
}

export function logFileFrom({ logFile, logSize, logKeep }: LogFlags): LogFileChoice | undefined {
  return logFile === undefined
    ? undefined
    : { file: path.resolve(logFile), maxBytes: logSize * 1024 * 1024, keep: logKeep };
}
