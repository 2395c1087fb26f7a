#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { airlockVersion } from '../assemble';
import { addAgents } from './agentsCommand';
import { addApprovalCommands } from './approvalCommands';
import { addBackupCommands } from './backupCommands';
import { addBudget } from './budgetCommand';
import { addDataCommand } from './dataCommand';
import { addDemo } from './demoCommand';
import { addDoctor, addVerifyJournal } from './doctorCommand';
import { addLandingCommands } from './landingCommands';
import { addUsageReport } from './usageCommand';
import { addReviewCommands } from './reviewCommands';
import { addQueueCommands } from './queueCommands';
import { addSchedule } from './scheduleCommand';
import { addPersonas } from './personasCommand';
import { addMcp } from './mcpCommand';
import { addModels } from './modelsCommand';
import { addServer } from './serverCommand';
import { addSnapshotCommands } from './snapshotCommands';
import { addSessionCommands } from './sessionCommands';
import { addShell } from './shellCommand';
import { errorText } from './words';
import { addWorkspaceCommands } from './workspaceCommands';
import { addWork } from './workCommand';

/** Every command is a file of its own beside this one; here they only meet. */
export function program(): Command {
  const airlock = new Command('airlock')
    .description('Works off a queue of coding tasks with AI agents, each in a sealed, proven jail.')
    .version(airlockVersion)
    .showHelpAfterError('(see --help)')
    .exitOverride();
  addWork(airlock);
  addQueueCommands(airlock);
  addApprovalCommands(airlock);
  addAgents(airlock);
  addLandingCommands(airlock);
  addReviewCommands(airlock);
  addSnapshotCommands(airlock);
  addSessionCommands(airlock);
  addSchedule(airlock);
  addPersonas(airlock);
  addModels(airlock);
  addBudget(airlock);
  addUsageReport(airlock);
  addWorkspaceCommands(airlock);
  addDataCommand(airlock);
  addServer(airlock);
  addMcp(airlock);
  addDoctor(airlock);
  addVerifyJournal(airlock);
  addBackupCommands(airlock);
  addShell(airlock);
  addDemo(airlock);
  return airlock;
}

async function main(): Promise<void> {
  // Whoever reads the output may stop reading: `airlock tasks | head`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 2));
  try {
    await program().parseAsync(process.argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    process.stderr.write(`${errorText(error)}\n`);
    process.exitCode = 2;
  }
}

// What describes the commands loads this file as well.
if (require.main === module) void main();
