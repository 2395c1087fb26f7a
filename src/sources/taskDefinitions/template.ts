/** What `{{ … }}` may name. */
export interface TemplateValues {
  /** The value of an environment variable; `undefined` when it may not be read or is not set. */
  readonly env: (name: string) => string | undefined;
  readonly context: Readonly<Record<string, unknown>>;
}

export interface Filled {
  readonly text: string;
  /** What could not be filled in, in words. Empty: nothing. */
  readonly problems: readonly string[];
}

/** Fills `{{ env.NAME }}` and `{{ context.name }}` in. Values are put in as they are and not looked into again. */
export function fillIn(text: string, values: TemplateValues): Filled {
  const problems: string[] = [];
  const filled = text.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, (whole, name: string) => {
    const value = valueOf(name, values);
    if (value !== undefined) return value;
    problems.push(problemOf(name));
    return whole;
  });
  return { text: filled, problems };
}

function valueOf(name: string, { env, context }: TemplateValues): string | undefined {
  const [root, ...keys] = name.split('.');
  if (root === 'env' && keys.length === 1) return env(keys[0] ?? '');
  if (root !== 'context' || keys.length === 0) return undefined;
  const value = keys.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Readonly<Record<string, unknown>>)[key]
        : undefined,
    context,
  );
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function problemOf(name: string): string {
  if (name.startsWith('env.'))
    return `{{ ${name} }} cannot be filled in: the variable is not set, or your settings do not allow it`;
  if (name.startsWith('context.')) return `{{ ${name} }} cannot be filled in: the task’s context has no such value`;
  return `{{ ${name} }} is not understood: there are {{ env.NAME }} and {{ context.name }}`;
}
