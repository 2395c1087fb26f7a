import { z } from 'zod';
import { approvalDecisionSchema } from '../core/approval';
import { conflictReportSchema, resolutionSchema } from '../core/conflict';
import { dataDeletionSchema, deletedDataSchema } from '../core/dataDeletion';
import { diagnosticSchema } from '../core/diagnostic';
import { eventSchema } from '../core/events';
import { folderSourceSchema } from '../core/folderSource';
import type { ResultChanges } from '../core/executor';
import { historyAnswerSchema, historyQuerySchema } from '../core/history';
import { digestSchema, objectIdSchema, sessionIdSchema, taskIdSchema } from '../core/ids';
import { jailProofSchema, type JailReadiness } from '../core/jail';
import { terminalSizeSchema } from '../core/keyboard';
import { newCommentSchema } from '../core/reviewComment';
import { cleanedWorkspaceSchema, cleaningSchema, storedWorkspaceSchema } from '../core/storedWorkspace';
import { personaListSchema } from '../core/persona';
import { sessionUseSchema } from '../core/sessionUse';
import { newTaskSchema } from '../core/task';
import type { FileChange } from '../core/workspace';

/**
 * What goes over the executor's socket: one JSON object a line, both ways.
 *
 * The client says `hello`; the server answers `welcome` with the state, or `refused` and hangs up. From then on the client
 * sends requests and gets one `reply` or `failure` for each, by its id; between them come `events`, in order and without
 * gaps after the state, `reset` when the state is replaced, `output` of watched sessions, `keyboardEnded` and `diagnostics`. The events of a command come
 * before its reply.
 *
 * The number changes whenever an old end would misunderstand a new one; the shape of the state and the kinds of events are
 * part of it.
 */
export const protocolVersion = 14;

/** The longest line that a client may send: room for the longest prompt, escaped. */
export const maxRequestBytes = 16 * 1024 * 1024;
/** The longest line that a server sends: a state of very many tasks, a large blob. */
export const maxReplyBytes = 400 * 1024 * 1024;

const indexSchema = z.number().int().nonnegative();

const methods = [
  z.object({ method: z.literal('add'), task: newTaskSchema }),
  z.object({ method: z.literal('startQueue') }),
  z.object({ method: z.literal('pauseQueue') }),
  z.object({ method: z.literal('stopQueue') }),
  z.object({ method: z.literal('cancel'), taskId: taskIdSchema }),
  z.object({ method: z.literal('retry'), taskId: taskIdSchema }),
  z.object({ method: z.literal('runNow'), taskId: taskIdSchema }),
  z.object({ method: z.literal('assignRepository'), taskId: taskIdSchema, repo: z.string() }),
  z.object({ method: z.literal('answer'), taskId: taskIdSchema, text: z.string() }),
  z.object({ method: z.literal('decide'), taskId: taskIdSchema, decision: approvalDecisionSchema }),
  z.object({ method: z.literal('pauseTask'), taskId: taskIdSchema }),
  z.object({ method: z.literal('resumeTask'), taskId: taskIdSchema }),
  z.object({ method: z.literal('moveTask'), taskId: taskIdSchema, before: taskIdSchema.nullable() }),
  z.object({ method: z.literal('retryReport'), taskId: taskIdSchema }),
  z.object({ method: z.literal('pauseSource'), sourceId: z.string() }),
  z.object({ method: z.literal('resumeSource'), sourceId: z.string() }),
  z.object({ method: z.literal('refreshSources') }),
  /** These are followed while the connection lasts, in place of those that it lent before; `diagnostics` tells what is wrong in them. */
  z.object({ method: z.literal('lendFolders'), folders: z.array(folderSourceSchema).max(1000) }),
  z.object({ method: z.literal('readBlob'), digest: digestSchema }),
  z.object({ method: z.literal('changes'), taskId: taskIdSchema }),
  z.object({
    method: z.literal('readResultFile'),
    taskId: taskIdSchema,
    side: z.enum(['base', 'result']),
    path: z.string(),
  }),
  z.object({ method: z.literal('snapshotChanges'), taskId: taskIdSchema, from: indexSchema, to: indexSchema }),
  z.object({ method: z.literal('readSnapshotFile'), taskId: taskIdSchema, index: indexSchema, path: z.string() }),
  z.object({ method: z.literal('restoreSnapshot'), taskId: taskIdSchema, index: indexSchema }),
  z.object({ method: z.literal('publishSnapshot'), taskId: taskIdSchema, index: indexSchema }),
  z.object({ method: z.literal('workspaces') }),
  z.object({ method: z.literal('cleanWorkspaces'), cleaning: cleaningSchema }),
  z.object({ method: z.literal('deleteData'), deletion: dataDeletionSchema }),
  /** `watch` names the watching, chosen by the client; its output comes under that name, also before the reply. */
  z.object({ method: z.literal('watchSession'), sessionId: sessionIdSchema, watch: z.string() }),
  z.object({ method: z.literal('unwatchSession'), watch: z.string() }),
  /** `keyboard` names it, chosen by the client; `keyboardEnded` tells when it is the agent's again. */
  z.object({
    method: z.literal('takeOver'),
    sessionId: sessionIdSchema,
    size: terminalSizeSchema,
    keyboard: z.string(),
  }),
  z.object({ method: z.literal('typeKeys'), keyboard: z.string(), keys: z.string() }),
  z.object({ method: z.literal('resizeTerminal'), keyboard: z.string(), size: terminalSizeSchema }),
  z.object({ method: z.literal('giveBack'), keyboard: z.string() }),
  z.object({ method: z.literal('sessionUse') }),
  z.object({ method: z.literal('readRecording'), sessionId: sessionIdSchema }),
  z.object({ method: z.literal('archiveSession'), sessionId: sessionIdSchema }),
  z.object({ method: z.literal('deleteSession'), sessionId: sessionIdSchema }),
  z.object({
    method: z.literal('land'),
    taskId: taskIdSchema,
    onto: z.string().optional(),
    files: z.array(z.string()).optional(),
  }),
  z.object({ method: z.literal('landingTargets'), taskId: taskIdSchema }),
  z.object({ method: z.literal('cancelLanding'), taskId: taskIdSchema }),
  z.object({ method: z.literal('keepAsBranch'), taskId: taskIdSchema, name: z.string() }),
  z.object({ method: z.literal('notePullRequest'), taskId: taskIdSchema, url: z.string() }),
  z.object({ method: z.literal('comment'), taskId: taskIdSchema, comment: newCommentSchema }),
  z.object({ method: z.literal('deleteComment'), taskId: taskIdSchema, commentId: z.string() }),
  z.object({ method: z.literal('sendBack'), taskId: taskIdSchema, text: z.string() }),
  z.object({ method: z.literal('sendBackConflict'), taskId: taskIdSchema }),
  z.object({ method: z.literal('conflict'), taskId: taskIdSchema }),
  z.object({
    method: z.literal('readConflictFile'),
    taskId: taskIdSchema,
    side: z.enum(['base', 'target', 'result']),
    path: z.string(),
  }),
  z.object({ method: z.literal('landResolved'), taskId: taskIdSchema, resolution: resolutionSchema }),
  z.object({ method: z.literal('undoLanding'), taskId: taskIdSchema }),
  z.object({ method: z.literal('discard'), taskId: taskIdSchema }),
  z.object({ method: z.literal('history'), query: historyQuerySchema }),
  z.object({ method: z.literal('personas'), repo: z.string().nullable() }),
  z.object({ method: z.literal('jailReadiness') }),
  z.object({ method: z.literal('proveJail') }),
] as const;

export const callSchema = z.discriminatedUnion('method', methods);
export type Call = z.infer<typeof callSchema>;
/** As a client may give it: what has a default can be absent. */
export type CallInput = z.input<typeof callSchema>;
export type Method = Call['method'];

export const helloSchema = z.object({
  kind: z.literal('hello'),
  protocol: z.number().int(),
  /** The product's version, for the words of a refusal. */
  version: z.string(),
  pid: z.number().int(),
});

export const requestSchema = z.object({ kind: z.literal('request'), id: z.number().int(), call: callSchema });
/** What is read of a request that is wrong, so that its failure can be told. */
export const requestOutlineSchema = z.looseObject({ kind: z.literal('request'), id: z.number().int() });

const factsSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

/** An error as it crosses: one for the user keeps its code and facts, a cancellation stays one, the rest keeps its words. */
export const wireErrorSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('user'), code: z.string(), message: z.string(), facts: factsSchema }),
  z.object({ kind: z.literal('cancelled'), message: z.string() }),
  z.object({ kind: z.literal('internal'), message: z.string() }),
]);
export type WireError = z.infer<typeof wireErrorSchema>;

export const serverMessageSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('welcome'),
    protocol: z.number().int(),
    version: z.string(),
    pid: z.number().int(),
    /** What `toWire` of the live state gave. */
    state: z.unknown(),
  }),
  z.object({ kind: z.literal('refused'), error: wireErrorSchema }),
  z.object({ kind: z.literal('reply'), id: z.number().int(), result: z.unknown() }),
  z.object({ kind: z.literal('failure'), id: z.number().int(), error: wireErrorSchema }),
  z.object({ kind: z.literal('events'), events: z.array(eventSchema) }),
  z.object({ kind: z.literal('reset'), state: z.unknown() }),
  z.object({ kind: z.literal('output'), watch: z.string(), text: z.string() }),
  z.object({ kind: z.literal('keyboardEnded'), keyboard: z.string() }),
  /** All that is wrong now at one owner in the folders that this client lends. */
  z.object({ kind: z.literal('diagnostics'), owner: z.string(), diagnostics: z.array(diagnosticSchema) }),
]);
export type ServerMessage = z.infer<typeof serverMessageSchema>;

export const jailReadinessSchema: z.ZodType<JailReadiness> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), bwrapVersion: z.string(), bwrapPath: z.string() }),
  z.object({ kind: z.literal('unavailable'), code: z.string(), reason: z.string(), fix: z.string() }),
]);

const fileChangeSchema: z.ZodType<FileChange> = z.object({
  path: z.string(),
  oldPath: z.string().nullable(),
  kind: z.enum(['added', 'modified', 'deleted', 'renamed', 'typeChanged']),
  insertions: z.number().nullable(),
  deletions: z.number().nullable(),
});

export const resultChangesSchema: z.ZodType<ResultChanges> = z.object({
  repo: z.string(),
  baseCommit: objectIdSchema,
  commit: objectIdSchema,
  branch: z.string(),
  files: z.array(fileChangeSchema),
});

/** Bytes as base64; `null` when there are none to give. */
const bytesSchema = z.base64().nullable();
const nothing = z.null();
const landedSchema = z.object({ ref: z.string(), from: objectIdSchema, commit: objectIdSchema });

/** What each call is answered with. */
export const resultSchemas = {
  add: taskIdSchema,
  startQueue: nothing,
  pauseQueue: nothing,
  stopQueue: nothing,
  cancel: nothing,
  retry: nothing,
  runNow: nothing,
  assignRepository: nothing,
  answer: nothing,
  decide: nothing,
  pauseTask: nothing,
  resumeTask: nothing,
  moveTask: nothing,
  retryReport: nothing,
  pauseSource: nothing,
  resumeSource: nothing,
  refreshSources: nothing,
  lendFolders: nothing,
  readBlob: bytesSchema,
  changes: resultChangesSchema,
  readResultFile: bytesSchema,
  snapshotChanges: z.array(fileChangeSchema),
  readSnapshotFile: bytesSchema,
  restoreSnapshot: z.object({ savedAs: z.number().int(), files: z.array(fileChangeSchema) }),
  publishSnapshot: z.object({ branch: z.string(), commit: objectIdSchema }),
  workspaces: z.array(storedWorkspaceSchema),
  cleanWorkspaces: z.array(cleanedWorkspaceSchema),
  deleteData: deletedDataSchema,
  watchSession: nothing,
  unwatchSession: nothing,
  takeOver: nothing,
  typeKeys: nothing,
  resizeTerminal: nothing,
  giveBack: nothing,
  sessionUse: z.array(sessionUseSchema),
  readRecording: z.base64(),
  archiveSession: nothing,
  deleteSession: nothing,
  land: landedSchema,
  landingTargets: z.object({ checkedOut: z.string().nullable(), branches: z.array(z.string()) }),
  cancelLanding: nothing,
  keepAsBranch: nothing,
  notePullRequest: nothing,
  comment: z.string(),
  deleteComment: nothing,
  sendBack: nothing,
  sendBackConflict: nothing,
  conflict: conflictReportSchema,
  readConflictFile: bytesSchema,
  landResolved: landedSchema,
  undoLanding: nothing,
  discard: nothing,
  history: historyAnswerSchema,
  personas: personaListSchema,
  jailReadiness: jailReadinessSchema,
  proveJail: jailProofSchema,
} as const satisfies Record<Method, z.ZodType>;

export type ResultOf<M extends Method> = z.output<(typeof resultSchemas)[M]>;
