/** What the first bytes of a tunnel are. */
export type Greeting =
  /** More bytes are needed to tell. */
  | { readonly kind: 'incomplete' }
  /** No TLS at all: SSH, SMTP, a protocol of its own. */
  | { readonly kind: 'other' }
  /** TLS; `serverName` is the host that it asks for, in lower case, or `undefined` when it names none. */
  | { readonly kind: 'hello'; readonly serverName: string | undefined }
  /** It begins like TLS and is not. */
  | { readonly kind: 'broken' };

const handshakeRecord = 0x16;
const clientHello = 1;
const serverNameExtension = 0;
const hostNameType = 0;
/** A real one has some hundred bytes, with a post-quantum key some 1,800. */
const longestHello = 32 * 1024;

/** Thrown inside this file when bytes end where more of them are promised. */
class TooShort extends Error {}

/** Reads numbers and stretches of bytes one after the other. */
class Cursor {
  constructor(private rest: Buffer) {}

  get isAtEnd(): boolean {
    return this.rest.length === 0;
  }

  /** An unsigned number of `bytes` bytes, the highest first. */
  number(bytes: 1 | 2 | 3): number {
    return this.take(bytes).readUIntBE(0, bytes);
  }

  take(length: number): Buffer {
    if (length > this.rest.length) throw new TooShort();
    const taken = this.rest.subarray(0, length);
    this.rest = this.rest.subarray(length);
    return taken;
  }

  /** All that is left, as a host's name. */
  text(): string {
    return this.rest.toString('latin1').toLowerCase();
  }

  /** Bytes behind a number of `bytes` bytes that says how many they are. */
  vector(bytes: 1 | 2): Cursor {
    return new Cursor(this.take(this.number(bytes)));
  }
}

/** Reads the beginning of what a client sends (RFC 8446 §4.1.2, §5.1; RFC 6066 §3). */
export function readGreeting(bytes: Buffer): Greeting {
  if (bytes.length === 0) return { kind: 'incomplete' };
  if (bytes[0] !== handshakeRecord) return { kind: 'other' };
  const message = handshakeMessage(bytes);
  if (message === 'broken' || message === 'incomplete') return { kind: message };
  try {
    return { kind: 'hello', serverName: serverNameOf(new Cursor(message)) };
  } catch (error) {
    if (error instanceof TooShort) return { kind: 'broken' };
    throw error;
  }
}

/** The body of the first message, which may lie in several records. */
function handshakeMessage(bytes: Buffer): Buffer | 'incomplete' | 'broken' {
  const parts: Buffer[] = [];
  const records = new Cursor(bytes);
  try {
    for (;;) {
      const joined = Buffer.concat(parts);
      if (joined.length > longestHello) return 'broken';
      if (joined.length >= 4) {
        const length = joined.readUIntBE(1, 3);
        if (joined[0] !== clientHello || length > longestHello) return 'broken';
        if (joined.length >= 4 + length) return joined.subarray(4, 4 + length);
      }
      if (records.number(1) !== handshakeRecord) return 'broken';
      records.take(2);
      const length = records.number(2);
      // An empty one says nothing, and could go on for ever.
      if (length === 0) return 'broken';
      parts.push(records.take(length));
    }
  } catch (error) {
    if (error instanceof TooShort) return 'incomplete';
    throw error;
  }
}

function serverNameOf(hello: Cursor): string | undefined {
  const [versionBytes, randomBytes] = [2, 32];
  hello.take(versionBytes + randomBytes);
  hello.vector(1); // the session's id
  hello.vector(2); // cipher suites
  hello.vector(1); // compression
  if (hello.isAtEnd) return undefined;
  for (const extensions = hello.vector(2); !extensions.isAtEnd;) {
    const type = extensions.number(2);
    const content = extensions.vector(2);
    if (type !== serverNameExtension) continue;
    const names = content.vector(2);
    const isHostName = names.number(1) === hostNameType;
    const name = names.vector(2);
    return isHostName ? name.text() : undefined;
  }
  return undefined;
}
