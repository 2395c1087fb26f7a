/** Whose models an engine asks, in the words of OpenTelemetry's conventions for generative AI (`gen_ai.provider.name`). */
import type { AirlockOptions, EngineChoice } from './options';

/** Domains, each with those below it, of servers for which the conventions have a word. */
const known: Readonly<Record<string, string>> = {
  'anthropic.com': 'anthropic',
  'amazonaws.com': 'aws.bedrock',
  'aws.amazon.com': 'aws.bedrock',
  'openai.azure.com': 'azure.ai.openai',
  'ai.azure.com': 'azure.ai.inference',
  'generativelanguage.googleapis.com': 'gcp.gemini',
  // Its regions stand before `-aiplatform`, which makes them no domains below it.
  'googleapis.com': 'gcp.vertex_ai',
  'cohere.com': 'cohere',
  'deepseek.com': 'deepseek',
  'groq.com': 'groq',
  'mistral.ai': 'mistral_ai',
  'moonshot.ai': 'moonshot_ai',
  'moonshot.cn': 'moonshot_ai',
  'openai.com': 'openai',
  'perplexity.ai': 'perplexity',
  'x.ai': 'x_ai',
};

/** A word of our own, as the conventions allow, for any other server that speaks the Messages API: a proxy, one on this machine. */
const other = 'anthropic_compatible';

/** By the engine's kind, as runs name it. */
export function providersOf(options: Pick<AirlockOptions, 'engine' | 'otherEngines'>): (engine: string) => string {
  const { engine, otherEngines = [] } = options;
  // Of two of a kind the first one is asked.
  const choices = [engine, ...otherEngines].reverse();
  // The script of the samples is always there.
  const byKind = new Map([
    ['scripted', 'airlock'],
    ...choices.map((choice) => [kindOf(choice), providerOf(choice)] as const),
  ]);
  return (kind) => byKind.get(kind) ?? other;
}

function kindOf({ kind }: EngineChoice): string {
  return kind === 'none' ? 'anthropic' : kind;
}

function providerOf(choice: EngineChoice): string {
  if (choice.kind === 'scripted') return 'airlock';
  const baseUrl = choice.kind === 'none' ? '' : (choice.baseUrl?.trim() ?? '');
  if (baseUrl === '') return 'anthropic';
  if (!URL.canParse(baseUrl)) return other;
  const { hostname } = new URL(baseUrl);
  const domain = Object.keys(known).find((name) => hostname === name || hostname.endsWith(`.${name}`));
  return (domain === undefined ? undefined : known[domain]) ?? other;
}
