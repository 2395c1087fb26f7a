import type { Digest } from '../../core/ids';

/** So much of a prompt is looked at, in bytes. */
const maxBytes = 20_000;
const atATime = 20;
/** Those that were read are told together. */
const batch = 200;

/** The prompts of tasks, read when somebody looks for words in them, and kept until nobody does. */
export class PromptTexts {
  private texts = new Map<Digest, string>();
  private waiting = new Set<Digest>();
  private reading = false;
  /** What is read for an earlier search is not kept. */
  private search = 0;

  /**
   * @param read May reject: then nothing is found in that prompt.
   * @param onRead Told of prompts that can be looked at now.
   */
  constructor(
    private readonly read: (digest: Digest) => Promise<Uint8Array | undefined>,
    private readonly onRead: (digests: ReadonlySet<Digest>) => void,
  ) {}

  /** In lower case; `undefined` while it is being read. */
  get(digest: Digest): string | undefined {
    const text = this.texts.get(digest);
    if (text === undefined) {
      this.waiting.add(digest);
      void this.readWaiting();
    }
    return text;
  }

  forget(): void {
    this.search += 1;
    this.texts = new Map();
    this.waiting = new Set();
  }

  /** Never rejects. */
  private async readWaiting(): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    // Whoever asks for many asks for them in one go.
    await Promise.resolve();
    while (this.waiting.size > 0) {
      const { search } = this;
      const digests = [...this.waiting].slice(0, batch);
      const found = new Map<Digest, string>();
      for (let at = 0; at < digests.length; at += atATime) {
        const some = digests.slice(at, at + atATime);
        const texts = await Promise.all(some.map((digest) => this.textOf(digest)));
        some.forEach((digest, index) => found.set(digest, texts[index] ?? ''));
      }
      if (search !== this.search) continue;
      for (const [digest, text] of found) {
        this.texts.set(digest, text);
        this.waiting.delete(digest);
      }
      this.onRead(new Set(digests));
    }
    this.reading = false;
  }

  private async textOf(digest: Digest): Promise<string> {
    try {
      const bytes = await this.read(digest);
      return bytes ? new TextDecoder().decode(bytes.subarray(0, maxBytes)).toLowerCase() : '';
    } catch {
      return '';
    }
  }
}
