import { z } from 'zod';
import { digestSchema, type Digest } from './ids';

/**
 * What an agent may do in its jail without asking first, from the strictest to the least strict.
 * - `ask`: it asks before whatever changes a file or runs something.
 * - `edits`: files of the workspace may be changed with the tools for it; it asks before whatever runs something.
 * - `unattended`: it does not ask. The jail holds what it does.
 */
export const approvalModes = ['ask', 'edits', 'unattended'] as const;
export const approvalModeSchema = z.enum(approvalModes);
export type ApprovalMode = z.infer<typeof approvalModeSchema>;

/** Nobody can loosen what another one wants: the settings, the persona, the task. */
export function strictest(modes: readonly (ApprovalMode | undefined)[]): ApprovalMode {
  return approvalModes.find((mode) => modes.includes(mode)) ?? 'unattended';
}

/** Tools that change nothing, and those that only tell or end something of the agent's own. Any other one asks. */
const free: ReadonlySet<string> = new Set([
  'read',
  'glob',
  'grep',
  'bash_output',
  'bash_stop',
  'report_progress',
  'ask_user',
  'finish',
  'send_message',
  'read_messages',
]);
const editing: ReadonlySet<string> = new Set(['write', 'edit']);

/** @param tool The tool of a persona's list; of one that is not known, nothing is known but that it is to be asked about. */
export function mustAsk(mode: ApprovalMode, tool: string): boolean {
  if (mode === 'unattended' || free.has(tool)) return false;
  return mode === 'ask' || !editing.has(tool);
}

/** What the user allowed for the rest of a task. */
export const approvalRuleSchema = z.discriminatedUnion('kind', [
  /** The very same call: `call` is the digest of its tool and its whole input. */
  z.object({ kind: z.literal('same'), call: digestSchema }),
  /** Commands of plain words that begin with these words. */
  z.object({ kind: z.literal('words'), words: z.array(z.string().min(1).max(1000)).min(1).max(50) }),
]);
export type ApprovalRule = z.infer<typeof approvalRuleSchema>;

/** A call that is to be decided about. */
export interface AskedCall {
  /** The tool of a persona's list; the engine's own name of one that is in no list. */
  readonly tool: string;
  /** The digest of the tool and the whole input: what is decided holds for nothing else. */
  readonly call: Digest;
  /** The command line of a command that runs in the foreground; `null` for everything else. */
  readonly command: string | null;
}

export function allowsCall(rules: readonly ApprovalRule[], asked: AskedCall): boolean {
  return rules.some((rule) => {
    if (rule.kind === 'same') return rule.call === asked.call;
    const words = asked.tool === 'bash' && asked.command !== null ? plainWords(asked.command) : null;
    return words !== null && rule.words.every((word, index) => words[index] === word);
  });
}

/** Letters, digits and marks that mean nothing to a shell, wherever in a word they stand. */
const plainCommand = /^[A-Za-z0-9_@%+=:,./-]+(?: +[A-Za-z0-9_@%+=:,./-]+)*$/;

/**
 * The words of a command line that a shell takes exactly as they stand: no quotes, no variables, no patterns, no `;`, `&`, `|`,
 * redirection, comment, line break or anything else that a shell reads, no letters outside of ASCII, and no variable that is set before the command.
 * `null` for every other one.
 */
export function plainWords(command: string): readonly string[] | null {
  if (!plainCommand.test(command)) return null;
  const words = command.split(/ +/);
  return words[0]?.includes('=') ? null : words;
}

/** What the user says to what an agent asks for. */
export const approvalDecisionSchema = z.object({
  /** Which one: another one may have taken its place meanwhile. */
  callId: z.string().max(10_000),
  allow: z.boolean(),
  /** Allowed for the rest of the task too: this very call, or commands that begin with so many of its words. */
  remember: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('same') }),
      z.object({ kind: z.literal('words'), count: z.number().int().min(1).max(50) }),
    ])
    .nullable()
    .default(null),
  /** What the agent is told with a no. */
  reason: z.string().max(2000).default(''),
});
export type ApprovalDecision = z.input<typeof approvalDecisionSchema>;

/** The blob with all that will happen. */
export const approvalEffectSchema = z.object({
  /** As people are shown it, whole: nothing in it is unseen. */
  text: z.string(),
  /** As in `AskedCall`. */
  command: z.string().nullable(),
});
export type ApprovalEffect = z.infer<typeof approvalEffectSchema>;

/** @returns `undefined` when it was deleted. */
export async function readEffect(
  readBlob: (digest: Digest) => Promise<Uint8Array | undefined>,
  digest: Digest,
): Promise<ApprovalEffect | undefined> {
  const bytes = await readBlob(digest);
  return bytes && approvalEffectSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
}

/** What an agent asked for last, and what was said to it. */
export interface ApprovalState {
  readonly callId: string;
  readonly tool: string;
  readonly call: Digest;
  /** One line for people. */
  readonly summary: string;
  /** The blob with an `ApprovalEffect` as JSON. */
  readonly effect: Digest;
  /** When it is denied by itself, in wall time; `null` for never. */
  readonly untilMs: number | null;
  /** `null` while nobody has said anything. */
  readonly answer: { readonly allowed: boolean; readonly by: ApprovalAnswerer; readonly reason: string } | null;
}

/** `rule`: what the user had allowed before. */
export const approvalAnswererSchema = z.enum(['user', 'rule', 'timeout']);
export type ApprovalAnswerer = z.infer<typeof approvalAnswererSchema>;

export function isOpenApproval(approval: ApprovalState | undefined): approval is ApprovalState {
  return approval?.answer === null;
}
