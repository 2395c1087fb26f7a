import type { DefinitionAbility } from '../schedule/scheduledRow';
import type { SessionAbility } from '../sessionList/sessionRow';
import type { Ability } from '../tasks/abilities';
import type { CommandActions } from './commandActions';

/** What a command needs before it can do anything. */
export type CommandNeed =
  | { readonly kind: 'nothing' }
  /** A group of the tree. */
  | { readonly kind: 'group' }
  /** One task that this can be done to: the one that was clicked, or the one that the user picks. */
  | { readonly kind: 'task'; readonly ability: Ability }
  /** As `task`, and all that are selected if there is more than one. */
  | { readonly kind: 'tasks'; readonly ability: Ability }
  /** A task definition: its row in the tree. The feature that registers the command finds it. */
  | { readonly kind: 'definition'; readonly ability: DefinitionAbility }
  /** A session: the one that was clicked, or one that is over and that the user picks. */
  | { readonly kind: 'session'; readonly ability: SessionAbility }
  /** A source that is paused, or one that is not: the one that was named, or the one that the user picks. */
  | { readonly kind: 'source'; readonly paused: boolean };

export interface CommandEntry {
  /** Its key in `package.nls.json`. */
  readonly title: string;
  readonly needs: CommandNeed;
  /** The method that does it; `null` for a feature that registers its own command. */
  readonly action: keyof CommandActions | null;
  /** When the palette offers it; absent: always. `false`: never. */
  readonly when?: string;
}

const nothing = { kind: 'nothing' } as const;
const one = (ability: Ability): CommandNeed => ({ kind: 'task', ability });
const session = (ability: SessionAbility): CommandNeed => ({ kind: 'session', ability });
const definition = (ability: DefinitionAbility): CommandNeed => ({ kind: 'definition', ability });
const source = (paused: boolean): CommandNeed => ({ kind: 'source', paused });
const all = (ability: Ability): CommandNeed => ({ kind: 'tasks', ability });

const isTrusted = 'isWorkspaceTrusted';
const isOpen = 'airlock.executor == open';

/** Every command that there is. The manifest says the same; a test compares the two. */
export const commandTable = {
  'airlock.startQueue': entry('startQueue', nothing, `${isTrusted} && airlock.queue != running`),
  'airlock.pauseQueue': entry('pauseQueue', nothing, 'airlock.queue == running'),
  'airlock.stopQueue': entry(
    'stopQueue',
    nothing,
    `${isOpen} && (airlock.queue == running || airlock.can.openTerminal)`,
  ),
  'airlock.addTask': entry('addTask', nothing, isTrusted),
  'airlock.refreshSources': entry('refreshSources', nothing, isOpen),

  'airlock.runTaskNow': entry('runTaskNow', all('runNow'), `${isTrusted} && airlock.can.runNow`),
  'airlock.cancelTask': entry('cancelTask', all('cancel'), 'airlock.can.cancel'),
  'airlock.retryTask': entry('retryTask', all('retry'), `${isTrusted} && airlock.can.retry`),
  'airlock.pauseTask': entry('pauseTask', all('pause'), 'airlock.can.pause'),
  'airlock.resumeTask': entry('resumeTask', all('resume'), `${isTrusted} && airlock.can.resume`),
  'airlock.moveTaskUp': entry('moveTaskUp', all('move'), 'airlock.can.move'),
  'airlock.moveTaskDown': entry('moveTaskDown', all('move'), 'airlock.can.move'),
  'airlock.moveTaskToTop': entry('moveTaskToTop', all('move'), 'airlock.can.move'),
  'airlock.sendReportAgain': entry('sendReportAgain', all('sendReportAgain'), 'airlock.can.sendReportAgain'),
  'airlock.pauseSource': entry('pauseSource', source(false), `${isOpen} && airlock.hasRunningSources`),
  'airlock.resumeSource': entry('resumeSource', source(true), `${isOpen} && airlock.hasPausedSources`),
  'airlock.assignRepository': entry('assignRepository', all('assignRepository'), 'airlock.can.assignRepository'),
  'airlock.answer': entry('answer', one('answer'), `${isTrusted} && airlock.can.answer`),
  'airlock.decide': entry('decide', one('decide'), `${isTrusted} && airlock.can.decide`),
  'airlock.approveMcpServer': entry(
    'approveMcpServer',
    one('approveMcpServer'),
    `${isTrusted} && airlock.can.approveMcpServer`,
  ),
  'airlock.openTerminal': entry('openTerminal', one('openTerminal'), 'airlock.can.openTerminal'),
  'airlock.takeOverTerminal': entry('takeOverTerminal', one('takeOver'), `${isTrusted} && airlock.can.takeOver`),
  'airlock.giveBackTerminal': entry('giveBackTerminal', one('giveBack'), 'airlock.can.giveBack'),
  'airlock.openChanges': entry('openChanges', one('openChanges'), 'airlock.can.openChanges'),
  'airlock.copyBranchName': entry('copyBranchName', one('copyBranchName'), 'airlock.can.copyBranchName'),
  'airlock.showDetails': entry('showDetails', one('showDetails'), 'airlock.hasTasks'),
  'airlock.markReviewed': entry('markReviewed', all('markReviewed'), 'airlock.can.markReviewed'),
  'airlock.showMoreTasks': entry('showMoreTasks', { kind: 'group' }, 'false'),

  'airlock.accept': entry('accept', all('accept'), `${isTrusted} && airlock.can.accept`),
  'airlock.acceptOnto': entry('acceptOnto', all('accept'), `${isTrusted} && airlock.can.accept`),
  'airlock.acceptFiles': entry('acceptFiles', one('accept'), `${isTrusted} && airlock.can.accept`),
  'airlock.review': entry('review', one('openChanges'), 'airlock.can.openChanges'),
  'airlock.sendBack': entry('sendBack', one('sendBack'), `${isTrusted} && airlock.can.sendBack`),
  'airlock.sendBackConflict': entry(
    'sendBackConflict',
    one('sendBackConflict'),
    `${isTrusted} && airlock.can.sendBackConflict`,
  ),
  'airlock.resolveConflict': entry(
    'resolveConflict',
    one('resolveConflict'),
    `${isTrusted} && airlock.can.resolveConflict`,
  ),
  'airlock.landResolved': entry('landResolved', one('resolveConflict'), `${isTrusted} && airlock.can.resolveConflict`),
  'airlock.keepAsBranch': entry('keepAsBranch', one('openChanges'), `${isTrusted} && airlock.can.openChanges`),
  'airlock.openPullRequest': entry('openPullRequest', one('openChanges'), `${isTrusted} && airlock.can.openChanges`),
  'airlock.addComment': { title: 'command.addComment', needs: nothing, action: null, when: 'false' },
  'airlock.editComment': { title: 'command.editComment', needs: nothing, action: null, when: 'false' },
  'airlock.saveComment': { title: 'command.saveComment', needs: nothing, action: null, when: 'false' },
  'airlock.cancelComment': { title: 'command.cancelComment', needs: nothing, action: null, when: 'false' },
  'airlock.deleteComment': { title: 'command.deleteComment', needs: nothing, action: null, when: 'false' },
  'airlock.cancelAccept': entry('cancelAccept', all('cancelAccept'), 'airlock.can.cancelAccept'),
  'airlock.undoAccept': entry('undoAccept', all('undoAccept'), `${isTrusted} && airlock.can.undoAccept`),
  'airlock.discard': entry('discard', all('discard'), 'airlock.can.discard'),

  'airlock.compareSnapshots': entry('compareSnapshots', one('readSnapshots'), 'airlock.can.readSnapshots'),
  'airlock.restoreSnapshot': entry(
    'restoreSnapshot',
    one('restoreSnapshot'),
    `${isTrusted} && airlock.can.restoreSnapshot`,
  ),
  'airlock.keepSnapshot': entry('keepSnapshot', one('readSnapshots'), `${isTrusted} && airlock.can.readSnapshots`),
  'airlock.cleanWorkspaces': entry('cleanWorkspaces', nothing, isOpen),
  'airlock.deleteData': entry('deleteData', nothing, isOpen),

  'airlock.replaySession': entry('replaySession', session('replay'), 'airlock.hasEndedSessions'),
  'airlock.goToTask': entry('goToTask', session('goToTask'), 'false'),

  'airlock.setApiKey': entry('setApiKey', nothing),
  'airlock.deleteApiKey': entry('deleteApiKey', nothing, 'airlock.hasApiKey'),
  'airlock.setZMemoryToken': entry('setZMemoryToken', nothing),
  'airlock.deleteZMemoryToken': entry('deleteZMemoryToken', nothing, 'airlock.hasZMemoryToken'),
  'airlock.setMcpSecret': entry('setMcpSecret', nothing),
  'airlock.chooseModel': entry('chooseModel', nothing),

  'airlock.proveJail': entry('proveJail', nothing, isOpen),
  'airlock.showPersonas': entry('showPersonas', nothing, isOpen),
  'airlock.addTaskFromSelection': {
    title: 'command.addTaskFromSelection',
    needs: nothing,
    action: null,
    when: `${isTrusted} && editorIsOpen && resourceScheme == file`,
  },
  'airlock.addTaskFromTodo': { title: 'command.addTaskFromTodo', needs: nothing, action: null, when: 'false' },
  'airlock.fixProblem': {
    title: 'command.fixProblem',
    needs: nothing,
    action: null,
    when: `${isTrusted} && editorIsOpen && resourceScheme == file`,
  },
  'airlock.fixTest': { title: 'command.fixTest', needs: nothing, action: null, when: 'false' },
  'airlock.addTableRow': { title: 'command.addTableRow', needs: nothing, action: null, when: isTrusted },
  'airlock.editTableRow': { title: 'command.editTableRow', needs: nothing, action: null, when: isTrusted },
  'airlock.setRowStatus': { title: 'command.setRowStatus', needs: nothing, action: null, when: isTrusted },
  'airlock.setRowPriority': { title: 'command.setRowPriority', needs: nothing, action: null, when: isTrusted },
  'airlock.markRowBlocked': { title: 'command.markRowBlocked', needs: nothing, action: null, when: isTrusted },
  'airlock.queueRows': { title: 'command.queueRows', needs: nothing, action: null, when: isTrusted },
  'airlock.newTaskFromTemplate': {
    title: 'command.newTaskFromTemplate',
    needs: nothing,
    action: null,
    when: isTrusted,
  },
  'airlock.filterTasks': { title: 'command.filterTasks', needs: nothing, action: null },
  'airlock.clearTaskFilter': {
    title: 'command.clearTaskFilter',
    needs: nothing,
    action: null,
    when: 'airlock.isFiltered',
  },
  'airlock.openDefinition': {
    title: 'command.openDefinition',
    needs: definition('openDefinition'),
    action: null,
    when: 'false',
  },
  'airlock.showSchedule': { title: 'command.showSchedule', needs: nothing, action: null, when: isTrusted },
  'airlock.verifyJournal': { title: 'command.verifyJournal', needs: nothing, action: null },
  'airlock.runDefinition': {
    title: 'command.runDefinition',
    needs: definition('runDefinition'),
    action: null,
    when: isTrusted,
  },
  'airlock.openAnalytics': { title: 'command.openAnalytics', needs: nothing, action: null, when: isOpen },
  'airlock.showTasks': entry('showTasks', nothing),
  'airlock.showSessions': entry('showSessions', nothing),
  'airlock.showMenu': entry('showMenu', nothing),
  'airlock.showLog': entry('showLog', nothing),
  'airlock.openSettings': entry('openSettings', nothing),
  'airlock.trySamples': { title: 'command.trySamples', needs: nothing, action: null },
  'airlock.openWalkthrough': entry('openWalkthrough', nothing),
  'airlock.tryAgain': entry('tryAgain', nothing),
  'airlock.manageTrust': entry('manageTrust', nothing, `!${isTrusted}`),
} satisfies Record<string, CommandEntry>;

export type CommandId = keyof typeof commandTable;

export const commandEntries: ReadonlyMap<CommandId, CommandEntry> = new Map(
  Object.entries(commandTable) as [CommandId, CommandEntry][],
);

function entry(action: keyof CommandActions, needs: CommandNeed, when?: string): CommandEntry {
  return { title: `command.${action}`, needs, action, ...(when === undefined ? {} : { when }) };
}
