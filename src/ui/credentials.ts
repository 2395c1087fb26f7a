import type * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../base/disposable';
import { Emitter } from '../base/emitter';
import { mcpSecretName, secretNames } from './ids';
import type { Setting } from './settings/setting';

export type SecretKind = keyof typeof secretNames;

export interface CredentialsOptions {
  readonly secrets: vscode.SecretStorage;
  /** `ANTHROPIC_API_KEY` or `ANTHROPIC_AUTH_TOKEN` serves when no key is kept, `ANTHROPIC_BASE_URL` when the setting is empty. */
  readonly environment: NodeJS.ProcessEnv;
  readonly baseUrl: Setting<'airlock.engine.baseUrl'>;
  /** The ZMemory servers that have a token of their own. */
  readonly servers: Setting<'airlock.zmemory.servers'>;
}

/** The keys. They are in SecretStorage and nowhere else: no setting, no log and no event ever holds one. */
export class Credentials implements Disposable {
  private readonly kept = new Map<SecretKind, boolean>();
  private readonly store = new DisposableStore();
  private readonly changed = new Emitter<SecretKind>();
  private readonly secretChanged = new Emitter<SecretKind>();

  /** Nothing is read yet: until `load` has resolved, no key is said to be missing. */
  constructor(private readonly options: CredentialsOptions) {
    this.store.add(this.changed);
    this.store.add(this.secretChanged);
    this.store.add(options.baseUrl.onDidChange(() => this.changed.fire('apiKey')));
    this.store.add(options.servers.onDidChange(() => this.follow('zmemoryToken')));
    this.store.add(
      options.secrets.onDidChange(({ key }) => {
        for (const kind of kinds)
          if (secretNames[kind] === key || key.startsWith(`${secretNames[kind]}.`)) this.follow(kind);
      }),
    );
  }

  /** Finds out which secrets there are. */
  async load(): Promise<void> {
    await Promise.all(kinds.map((kind) => this.look(kind)));
  }

  /** What is known of the keys has changed. */
  get onDidChange() {
    return this.changed.event;
  }

  /** A key was set, replaced or deleted, in this window or another. */
  get onDidChangeSecret() {
    return this.secretChanged.event;
  }

  has(kind: SecretKind): boolean {
    return this.kept.get(kind) ?? false;
  }

  /** The model's own service asks for a key, and there is none. */
  get needsApiKey(): boolean {
    return this.kept.get('apiKey') === false && this.modelServer === undefined && !this.environmentKey();
  }

  /** The address of a model server of the user's own, which may ask for no key at all; `undefined` for Anthropic's. */
  get modelServer(): string | undefined {
    return this.options.baseUrl.value || this.options.environment['ANTHROPIC_BASE_URL'] || undefined;
  }

  async apiKey(): Promise<string | undefined> {
    return (await this.options.secrets.get(secretNames.apiKey)) ?? this.environmentKey();
  }

  /** @param server The name of one of `airlock.zmemory.servers`; absent: the single one. */
  async zmemoryToken(server?: string): Promise<string | undefined> {
    return this.options.secrets.get(secretName('zmemoryToken', server));
  }

  /** A secret of MCP servers, by the name that they have for it. */
  mcpSecret(name: string): Promise<string | undefined> {
    return Promise.resolve(this.options.secrets.get(mcpSecretName(name)));
  }

  /** An empty value forgets it. */
  async setMcpSecret(name: string, value: string): Promise<void> {
    const { secrets } = this.options;
    await (value === '' ? secrets.delete(mcpSecretName(name)) : secrets.store(mcpSecretName(name), value));
  }

  async set(kind: SecretKind, value: string, server?: string): Promise<void> {
    await this.options.secrets.store(secretName(kind, server), value);
    await this.look(kind);
  }

  async delete(kind: SecretKind, server?: string): Promise<void> {
    await this.options.secrets.delete(secretName(kind, server));
    await this.look(kind);
  }

  dispose(): void {
    this.store.dispose();
  }

  private environmentKey(): string | undefined {
    const { environment } = this.options;
    return environment['ANTHROPIC_API_KEY'] || environment['ANTHROPIC_AUTH_TOKEN'] || undefined;
  }

  private follow(kind: SecretKind): void {
    // What cannot be read is as good as not there, and stays as it was known.
    this.look(kind).catch(() => {});
    this.secretChanged.fire(kind);
  }

  private async look(kind: SecretKind): Promise<void> {
    const servers = kind === 'zmemoryToken' ? this.options.servers.value : [];
    const names = [undefined, ...servers.map(({ name }) => name)];
    const found = await Promise.all(names.map((name) => this.options.secrets.get(secretName(kind, name))));
    this.kept.set(
      kind,
      found.some((secret) => secret !== undefined),
    );
    this.changed.fire(kind);
  }
}

function secretName(kind: SecretKind, server: string | undefined): string {
  return server === undefined ? secretNames[kind] : `${secretNames[kind]}.${server}`;
}

const kinds: readonly SecretKind[] = ['apiKey', 'zmemoryToken'];

/** What is wrong with a secret that was typed, or `undefined`: it goes into a header, where only printable ASCII may stand. */
export function secretProblem(value: string): 'empty' | 'not-ascii' | undefined {
  const trimmed = value.trim();
  if (trimmed === '') return 'empty';
  return /^[\x21-\x7e]+$/.test(trimmed) ? undefined : 'not-ascii';
}
