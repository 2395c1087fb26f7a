import { join } from 'node:path';
import { messageOf } from '../base/errors';
import type { Logger } from '../base/logger';
import { builtInPersonas } from '../core/builtInPersonas';
import type { Diagnostic, DiagnosticSink } from '../core/diagnostic';
import type { FoundPersona, PersonaList, PersonaOrigin, Personas } from '../core/persona';
import type { CommittedFiles } from '../core/workspace';
import { readAgentFile, type ModelAliases } from './agentFile';
import { maxPersonaBytes, readPersonaFile, wrongFile, type ReadPersona } from './personaFile';
import { isPersonaName, maxPersonas, readPersonaFolder, type PersonaText } from './personaFolder';
import { readRepositoryServers, serversFile, withRepositoryServers } from './repositoryServers';
import { tighten, withinSettings, type Bounds } from './tightening';

/** Where personas are in a repository. Only what is committed counts. */
const ownFolder = '.airlock/personas';
const agentFolder = '.claude/agents';

export interface PersonasOptions {
  /** The user's own folder, which need not be there; `null` for none. */
  readonly folder: string | null;
  readonly bounds: Bounds;
  readonly aliases: ModelAliases;
  /** Files of the commit that is checked out; what is wrong with the repository itself is thrown. */
  readonly committedFiles: (
    repo: string,
    folder: string | { readonly file: string },
    maxBytes: number,
  ) => Promise<CommittedFiles>;
  readonly onDiagnostics: DiagnosticSink;
  readonly logger: Logger;
}

/**
 * Of one name the user's own wins, then the repository's `.airlock/personas`, then its `.claude/agents`, then the built-in
 * one. What a repository brings is never more than the user allows.
 */
export function createPersonas(options: PersonasOptions): Personas {
  const told = new Map<string, string>();
  return {
    async of(repo) {
      const list = new Listing();
      for (const text of options.folder === null ? [] : await readPersonaFolder(options.folder)) {
        list.add(readText(text, readPersonaFile), { kind: 'user', path: text.path });
      }
      if (repo !== null) await addCommitted(list, repo, options);
      for (const persona of builtInPersonas)
        list.add({ persona: withinSettings(persona, options.bounds), diagnostics: [] }, { kind: 'builtIn' });
      if (repo !== null) await lendServers(list, repo, options);
      const owner = `personas:${repo ?? ''}`;
      const digest = JSON.stringify(list.diagnostics);
      if ((told.get(owner) ?? '[]') !== digest) options.onDiagnostics(owner, list.diagnostics);
      told.set(owner, digest);
      return list;
    },
  };
}

/** Takes personas in the order in which they win. */
class Listing implements PersonaList {
  personas: FoundPersona[] = [];
  readonly diagnostics: Diagnostic[] = [];

  add({ persona, diagnostics }: ReadPersona, origin: PersonaOrigin): void {
    this.diagnostics.push(...diagnostics);
    if (!persona) return;
    const winner = this.personas.find((found) => found.persona.name === persona.name);
    if (!winner) this.personas.push({ persona, origin });
    else if (origin.kind !== 'builtIn' && winner.origin.kind !== 'builtIn') {
      const message = `The persona “${persona.name}” of ${winner.origin.path} is used instead of this one.`;
      this.diagnostics.push({ path: origin.path, line: 1, column: 1, severity: 'warning', message });
    }
  }
}

async function addCommitted(list: Listing, repo: string, options: PersonasOptions): Promise<void> {
  try {
    await addFolder(list, repo, ownFolder, readPersonaFile, options);
    await addFolder(list, repo, agentFolder, (...file) => readAgentFile(...file, options.aliases), options);
  } catch (error) {
    // What is wrong with the repository itself is said when a workspace is made of it.
    options.logger.warn('The personas of a repository cannot be read', { repo, reason: messageOf(error) });
  }
}

/** What is wrong with the repository itself was said already. */
async function lendServers(list: Listing, repo: string, { committedFiles, logger }: PersonasOptions): Promise<void> {
  // Hardly any persona asks for servers, and this is read for each start of a task.
  if (list.personas.every(({ persona }) => persona.mcpTools.length === 0)) return;
  try {
    const found = readRepositoryServers(await committedFiles(repo, { file: serversFile }, maxPersonaBytes));
    list.diagnostics.push(...found.diagnostics);
    list.personas = list.personas.map(({ persona, origin }) => ({
      persona: withRepositoryServers(persona, found),
      origin,
    }));
  } catch (error) {
    logger.debug('The MCP servers of a repository cannot be read', { repo, reason: messageOf(error) });
  }
}

async function addFolder(
  list: Listing,
  repo: string,
  folder: string,
  read: (text: string, stem: string, path: string) => ReadPersona,
  { committedFiles, bounds }: PersonasOptions,
): Promise<void> {
  const { root, files } = await committedFiles(repo, folder, maxPersonaBytes);
  for (const { name, bytes, problem } of files.filter((file) => isPersonaName(file.name)).slice(0, maxPersonas)) {
    const path = join(root, folder, name);
    const text = bytes && Buffer.from(bytes).toString('utf8');
    const found = readText({ file: name, path, text: text ?? null, problem }, read);
    list.add(tightened(found, path, bounds), { kind: 'repository', path });
  }
}

function readText(
  { file, path, text, problem }: PersonaText,
  read: (text: string, stem: string, path: string) => ReadPersona,
): ReadPersona {
  return text === null ? wrongFile(path, problem) : read(text, file.slice(0, -'.md'.length), path);
}

function tightened({ persona, diagnostics }: ReadPersona, path: string, bounds: Bounds): ReadPersona {
  if (!persona) return { persona, diagnostics };
  const builtIn = builtInPersonas.find(({ name }) => name === persona.name);
  const { persona: tighter, refusals } = tighten(persona, bounds, builtIn);
  const refused = refusals.map((message) => ({ path, line: 1, column: 1, severity: 'warning' as const, message }));
  return { persona: tighter, diagnostics: [...diagnostics, ...refused] };
}
